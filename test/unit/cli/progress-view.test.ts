import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLineLog, createProgressView } from '../../../src/cli/progress-view.ts';
import type { Output } from '../../../src/cli/session.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { sleepOn } from '../../../src/core/clock.ts';
import { plainPaint } from '../../../src/report/text.ts';
import type { ProgressSnapshot } from '../../../src/run/progress.ts';

class HandClock implements Clock {
  nowMs = 0;
  nowNs(): number {
    return this.nowMs * 1_000_000;
  }
  wallMs(): number {
    return this.nowMs;
  }
  after(): { cancel(): void } {
    return { cancel: () => undefined };
  }
  sleep(durationMs: number, signal?: AbortSignal): Promise<boolean> {
    return sleepOn(() => this.after(), durationMs, signal);
  }
  turn(): Promise<void> {
    return Promise.resolve();
  }
}

function setUp(isTerminal: boolean, columns = 200) {
  const written: string[] = [];
  const logged: string[] = [];
  const output: Output = {
    isTerminal,
    columns: () => columns,
    write: (text) => written.push(text),
    flush: () => Promise.resolve(null),
    paint: plainPaint,
  };
  const clock = new HandClock();
  const view = createProgressView(output, clock, (line) => logged.push(line));
  return { written, logged, clock, view };
}

const snapshot: ProgressSnapshot = {
  phase: 'faults',
  elapsedMs: 0,
  acknowledged: 1_234,
  failed: 0,
  uncertain: 2,
  recordsPolled: 10,
  faultsInjected: 1,
  standing: ['f1 pause freeze node-2'],
};

describe('progress where no terminal is', () => {
  it('prints the counters every 10 s and no more', () => {
    const { written, clock, view } = setUp(false);
    for (clock.nowMs = 500; clock.nowMs <= 30_000; clock.nowMs += 500) view.snapshot(snapshot);
    expect(written).toHaveLength(3);
    expect(written[0]).toBe(
      '  10.0s  faults: 1,234 acknowledged, 0 failed, 2 uncertain, 10 polled, 1 fault; now: f1 pause freeze node-2\n',
    );
  });

  it('prints phases and faults at once, and logs every line', () => {
    const { written, logged, clock, view } = setUp(false);
    clock.nowMs = 1_500;
    view.line('audit');
    expect(written).toEqual(['   1.5s  audit\n']);
    expect(logged).toEqual(['   1.5s  audit']);
    view.close();
    expect(written).toHaveLength(1);
  });
});

describe('progress on a terminal', () => {
  it('keeps one live line, cut to its width, below the lines that stay', () => {
    const { written, logged, view } = setUp(true, 21);
    view.snapshot(snapshot);
    expect(written.at(-1)).toBe('    0ms  faults: 1,2');
    view.line('audit');
    view.snapshot(snapshot);
    view.close();
    expect(written.join('')).toBe(
      [
        '    0ms  faults: 1,2',
        '\r\u001b[2K',
        '    0ms  audit\n',
        '    0ms  faults: 1,2',
        '\r\u001b[2K',
        '    0ms  faults: 1,2',
        '\r\u001b[2K',
      ].join(''),
    );
    expect(logged).toEqual(['    0ms  audit']);
  });
});

describe('the log of lines', () => {
  it('appends lines, and does without where nothing can be written', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ordeal-log-'));
    try {
      const log = createLineLog(join(folder, 'harness.log'));
      log('one');
      log('two');
      expect(readFileSync(join(folder, 'harness.log'), 'utf8')).toBe('one\ntwo\n');
      const lost = createLineLog(join(folder, 'missing/harness.log'));
      expect(() => {
        lost('three');
      }).not.toThrow();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
