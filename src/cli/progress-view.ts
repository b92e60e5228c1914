/**
 * Progress on stderr: a line of its own for each phase, fault and heal; the counters as one live line on a terminal,
 * and as a plain line every 10 s elsewhere. The lines also go to the run's own log.
 */
import { appendFileSync } from 'node:fs';
import { nsPerMs, formatDurationMs } from '../core/units.ts';
import type { Clock } from '../core/clock.ts';
import { formatCount } from '../report/view.ts';
import type { Progress, ProgressSnapshot } from '../run/progress.ts';
import type { Output } from './session.ts';

export interface ProgressView extends Progress {
  /** Wipes the live line, so that a report can follow. */
  close(): void;
}

const plainIntervalMs = 10_000;

/** @param log takes each line without newline, for logs/harness.log. */
export function createProgressView(
  output: Output,
  clock: Clock,
  log: (line: string) => void,
): ProgressView {
  const startNs = clock.nowNs();
  const elapsedMs = (): number => (clock.nowNs() - startNs) / nsPerMs;
  let live = '';
  let plainDueMs = plainIntervalMs;
  const wipe = (): void => {
    if (live !== '') output.write('\r\u001b[2K');
  };
  const show = (text: string): void => {
    wipe();
    live = text.slice(0, Math.max(0, output.columns() - 1));
    output.write(output.paint('quiet', live));
  };
  return {
    line(text) {
      const stamped = `${formatDurationMs(elapsedMs()).padStart(7)}  ${text}`;
      const before = live;
      wipe();
      live = '';
      output.write(`${stamped}\n`);
      log(stamped);
      if (before !== '') show(before);
    },
    snapshot(snapshot) {
      const text = `${formatDurationMs(elapsedMs()).padStart(7)}  ${snapshotText(snapshot)}`;
      if (output.isTerminal) {
        show(text);
        return;
      }
      if (elapsedMs() < plainDueMs) return;
      plainDueMs = elapsedMs() + plainIntervalMs;
      output.write(`${text}\n`);
      log(text);
    },
    close() {
      wipe();
      live = '';
    },
  };
}

/** Appends lines to a file. One that cannot be written is lost: on a full disk a run must still heal and tear down. */
export function createLineLog(path: string): (line: string) => void {
  return (line) => {
    try {
      appendFileSync(path, `${line}\n`);
    } catch {
      // It stands on stderr too; that the disk is full is told by the recorder.
    }
  };
}

/** The counters in one line. */
function snapshotText(snapshot: ProgressSnapshot): string {
  const n = formatCount;
  const counters = [
    `${n(snapshot.acknowledged)} acknowledged`,
    `${n(snapshot.failed)} failed`,
    `${n(snapshot.uncertain)} uncertain`,
    `${n(snapshot.recordsPolled)} polled`,
    `${n(snapshot.faultsInjected)} ${snapshot.faultsInjected === 1 ? 'fault' : 'faults'}`,
  ].join(', ');
  const standing = snapshot.standing.length === 0 ? '' : `; now: ${snapshot.standing.join('; ')}`;
  return `${snapshot.phase}: ${counters}${standing}`;
}
