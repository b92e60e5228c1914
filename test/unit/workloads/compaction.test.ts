import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/core/random.ts';
import { plainSends, type NextOperation, type WorkerScript } from '../../../src/spi/workload.ts';
import { compactionWorkload } from '../../../src/workloads/compaction.ts';

const options = {
  topics: 1,
  partitions: 1,
  concurrency: 1,
  ratePerSecond: 10,
  sends: plainSends,
  nodes: [1, 2, 3],
  topicConfig: { 'delete.retention.ms': '500' },
};
type Sent = Extract<NextOperation, { do: 'send' }>['records'][number] & { readonly atMs: number };

function sends(script: WorkerScript, untilMs: number): Sent[] {
  const done: Sent[] = [];
  for (let nowMs = 0; nowMs < untilMs;) {
    const next = script.next(nowMs);
    if (next.do === 'wait') nowMs = next.untilMs;
    else if (next.do === 'send') done.push({ ...next.records[0]!, atMs: nowMs });
  }
  return done;
}

describe('the compaction workload', () => {
  const [deleting, filling, ...readers] = compactionWorkload.workers(options, (name) =>
    randomStream('1', name),
  );

  it('makes topics that are compacted, with what it is given on top', () => {
    expect(compactionWorkload.topics(options)[0]!.config).toMatchObject({
      'cleanup.policy': 'compact',
      'segment.ms': '300',
      'delete.retention.ms': '500',
    });
  });

  it('writes keys at the start of each round, and deletes each of them in its second half', () => {
    const sent = sends(deleting!, 40_000);
    const written = sent.filter(({ tombstone }) => tombstone !== true);
    const deleted = sent.filter(({ tombstone }) => tombstone === true);
    expect(written.map(({ key }) => key)).toEqual(Array.from({ length: 10 }, (_, i) => `d${i}`));
    expect(deleted.map(({ key }) => key)).toEqual(written.map(({ key }) => key));
    expect(written.map(({ atMs }) => atMs)).toEqual([...Array<number>(5).fill(800), ...Array<number>(5).fill(24_800)]); // prettier-ignore
    expect(deleted.map(({ atMs }) => atMs)).toEqual([...Array<number>(5).fill(9_500), ...Array<number>(5).fill(33_500)]); // prettier-ignore
  });

  it('fills over three keys, one record each 60 ms', () => {
    const sent = sends(filling!, 600);
    expect(sent.map(({ key }) => key).slice(0, 4)).toEqual(['f0', 'f1', 'f2', 'f0']);
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 60, 120, 180, 240, 300, 360, 420, 480, 540]);
  });

  it('gives every record another value', () => {
    const values = [deleting, filling]
      .flatMap((script) => sends(script!, 5_000))
      .map(({ value }) => value);
    expect(new Set(values).size).toBe(values.length);
    expect(readers.map(({ kind, logs }) => [kind, logs])).toEqual([
      ['reader', ['orders/0']],
      ['reader', ['orders/0']],
    ]);
  });
});
