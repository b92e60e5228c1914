/**
 * Events per second through the recorder, to a real file with its fsyncs, as a ratio to JSON.stringify of the same
 * events in the same process: node dist/bench/recorder.js [--events N] [--directory DIR].
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createRealClock } from '../src/core/clock.ts';
import type { EventDraft } from '../src/history/recording.ts';
import { openRecorder } from '../src/history/recorder.ts';

const producers = 16;
/** Events appended between two turns of the event loop, as a busy run would. */
const burst = 256;

/** The k-th event: each producer invokes and completes in turn. */
function draft(k: number): EventDraft {
  const process = (k >> 1) % producers;
  const sequence = Math.floor((k >> 1) / producers);
  const value = process * 2 ** 32 + sequence;
  return k % 2 === 0
    ? { process, type: 'invoke', f: 'send', value: [['send', 'orders/0', value]] }
    : { process, type: 'ok', f: 'send', value: [['send', 'orders/0', [k >> 1, value]]] };
}

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    directory: { type: 'string', default: tmpdir() },
  },
});
const events = Number(values.events);
const clock = createRealClock();
const directory = mkdtempSync(join(values.directory, 'ordeal-bench-'));
try {
  let bytes = 0;
  const baselineStartNs = clock.nowNs();
  for (let k = 0; k < events; k++) {
    bytes += JSON.stringify({ index: k, time: clock.nowNs(), ...draft(k) }).length;
  }
  const baselineNs = clock.nowNs() - baselineStartNs;

  const recorder = await openRecorder(join(directory, 'history.jsonl'), { ordeal: 1 }, clock);
  const startNs = clock.nowNs();
  for (let k = 0; k < events; k++) {
    recorder.append(draft(k));
    if (k % burst === burst - 1) await clock.turn();
  }
  await recorder.sync();
  const recordNs = clock.nowNs() - startNs;
  const { syncs, syncLagMaxMs } = recorder.stats();
  await recorder[Symbol.asyncDispose]();

  const rate = (ns: number): string => `${Math.round((events / ns) * 1e9).toLocaleString('en')}/s`;
  console.log(`${events} events, ${(bytes / 2 ** 20).toFixed(0)} MB, ${burst} per turn`);
  console.log(`JSON.stringify   ${rate(baselineNs)}`);
  console.log(
    `recorder         ${rate(recordNs)}, ${(recordNs / baselineNs).toFixed(2)} × the time`,
  );
  console.log(`${syncs} fsyncs, greatest lag ${syncLagMaxMs.toFixed(0)} ms`);
} finally {
  rmSync(directory, { recursive: true });
}
