/**
 * The compaction workload: keys that are written once and later deleted by a tombstone, and a filler that writes over a few
 * keys without pause, so that segments roll and the cleaner has work. Readers as in the log workload. Rounds of fixed length: at its
 * start each round writes keys of its own, and deletes them in its second half. So a fault that begins early in a round, and is
 * healed late, lets a replica miss the tombstones (the scenario compaction-race).
 *
 * A tombstone is a send like any other: its value, by which the history knows it, travels in a record header.
 */
import type { LogName } from '../history/event.ts';
import type { NextOperation, WorkerScript, Workload } from '../spi/workload.ts';
import { logNames, readerScripts, topicSpecs, valueOf } from './log.ts';

const roundMs = 24_000;
/** After the beginning of a round. */
const writesAtMs = 800;
const deletesAtMs = 9_500;
const keysPerRound = 5;
const fillIntervalMs = 60;
const fillKeys = 3;

/** Segments that roll soon, and a cleaner that finds the least dirt worth its while. */
const compactedConfig = {
  'cleanup.policy': 'compact',
  'segment.ms': '300',
  'min.cleanable.dirty.ratio': '0.01',
} as const;

export const compactionWorkload: Workload = {
  name: 'compaction',
  summary: 'Keys that are written and deleted again, and a filler that keeps the cleaner at work.',
  topics: (options) =>
    topicSpecs({ ...options, topicConfig: { ...compactedConfig, ...options.topicConfig } }),
  groups: [],
  workers: (options) => {
    const logs = logNames(options);
    return [
      ...logs.map((log, worker) => deletingScript(log, 2 * worker)),
      ...logs.map((log, worker) => fillingScript(log, 2 * worker + 1)),
      ...readerScripts(logs),
    ];
  },
};

type Send = Extract<NextOperation, { do: 'send' }>;

function scriptOf(next: WorkerScript['next']): WorkerScript {
  return { kind: 'producer', group: null, logs: [], session: null, next };
}

/** Writes each key of a round, then deletes each: one operation after the other, at its time or as soon as it can. */
function deletingScript(log: LogName, worker: number): WorkerScript {
  let step = 0;
  return scriptOf((nowMs) => {
    const round = Math.floor(step / (2 * keysPerRound));
    const within = step % (2 * keysPerRound);
    const deletes = within >= keysPerRound;
    const dueMs = round * roundMs + (deletes ? deletesAtMs : writesAtMs);
    if (dueMs > nowMs) return { do: 'wait', untilMs: dueMs };
    const key = `d${round * keysPerRound + (within % keysPerRound)}`;
    const operation = send(log, valueOf(worker, step), key, deletes);
    step += 1;
    return operation;
  });
}

function fillingScript(log: LogName, worker: number): WorkerScript {
  let sequence = 0;
  let dueMs = 0;
  return scriptOf((nowMs) => {
    if (dueMs > nowMs) return { do: 'wait', untilMs: dueMs };
    dueMs = nowMs + fillIntervalMs;
    const operation = send(log, valueOf(worker, sequence), `f${sequence % fillKeys}`, false);
    sequence += 1;
    return operation;
  });
}

function send(log: LogName, value: number, key: string, tombstone: boolean): Send {
  const [topic, partition] = log.split('/') as [string, string];
  const record = { topic, partition: Number(partition), value, key };
  return { do: 'send', records: [tombstone ? { ...record, tombstone } : record] };
}
