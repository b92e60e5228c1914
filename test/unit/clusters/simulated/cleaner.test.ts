/** The cleaner on one replica's log: what a pass keeps, by Kafka's rules (KAFKA.md part A section 8). */
import { describe, expect, it } from 'vitest';
import { clean } from '../../../../src/clusters/simulated/cleaner.ts';
import { CompactedBatch } from '../../../../src/clusters/simulated/compacted-batch.ts';
import { Kernel } from '../../../../src/clusters/simulated/kernel.ts';
import { NodeProcess } from '../../../../src/clusters/simulated/node-process.ts';
import { ReplicaLog } from '../../../../src/clusters/simulated/replica-log.ts';
import type { LogRecord } from '../../../../src/kafka-protocol/record-batch.ts';
import { batchOf } from '../../../support/model-batches.ts';
import { advance } from '../../../support/model-cluster.ts';

const compaction = { segmentMs: 100, deleteRetentionMs: 1_000 };

/** A log with a clock: what is appended is `key=value`, or `key=` for a tombstone. */
class Bench {
  readonly kernel = new Kernel();
  readonly process: NodeProcess;
  readonly log = new ReplicaLog();

  constructor(node = 1) {
    this.process = new NodeProcess(node, this.kernel, 0);
  }

  /** One batch of these records, in a segment of its own where `rolls`. */
  append(
    texts: readonly string[],
    { rolls = true, producerId = -1, baseSequence = -1 } = {},
  ): this {
    if (rolls) advance(this.kernel, compaction.segmentMs);
    const baseOffset = this.log.end;
    const batch = batchOf(texts, {
      ...{ baseOffset, leaderEpoch: 0, producerId, baseSequence },
      producerEpoch: 0,
    });
    const records = texts.map((text, at): LogRecord => {
      const [key = '', value = ''] = text.split('=');
      return {
        ...{ offset: baseOffset + at, timestamp: 0, headers: [] },
        key: Buffer.from(key),
        value: value === '' ? null : Buffer.from(value),
      };
    });
    this.log.roll(this.kernel.nowNs, compaction.segmentMs);
    this.log.append({ ...batch, records }, this.kernel.nowNs);
    return this;
  }

  clean(highWatermark = this.log.end, ...defects: readonly string[]): this {
    clean(this.log, compaction, highWatermark, {
      process: this.process,
      defects: new Set(defects),
    });
    return this;
  }

  /** `offset:key=value` of each record that is left. */
  get left(): readonly string[] {
    return this.log.batches.flatMap(({ records = [] }) =>
      records.map(
        ({ offset, key, value }) => `${offset}:${String(key)}=${value?.toString('utf8') ?? ''}`,
      ),
    );
  }
}

describe('a pass', () => {
  it('keeps the last record of each key, at its offset, and leaves the active segment alone', () => {
    const bench = new Bench().append(['a=1', 'b=1']).append(['a=2']).append(['a=3', 'b=3']);
    bench.clean();
    expect(bench.left).toEqual(['1:b=1', '2:a=2', '3:a=3', '4:b=3']);
    expect(bench.log.end).toBe(5);
    bench.append(['c=4']).clean();
    expect(bench.left).toEqual(['3:a=3', '4:b=3', '5:c=4']);
  });

  it('touches nothing above the high watermark, for nobody knows whether that stays', () => {
    const bench = new Bench().append(['a=1']).append(['a=2']).append(['a=3']).append(['x=4']);
    expect(bench.clean(1).left).toEqual(['0:a=1', '1:a=2', '2:a=3', '3:x=4']);
    expect(bench.clean(2).left).toEqual(['1:a=2', '2:a=3', '3:x=4']);
  });

  it('keeps a tombstone until delete.retention.ms after the pass that met it, and what it deleted no longer', () => {
    const bench = new Bench().append(['a=1']).append(['a=']).append(['f=2']).clean();
    expect(bench.left).toEqual(['1:a=', '2:f=2']);
    const again = (text: string): readonly string[] => bench.append([text]).clean().left;
    expect(again('f=3')).toContain('1:a=');
    advance(bench.kernel, compaction.deleteRetentionMs);
    expect(again('f=4')).not.toContain('1:a=');
  });

  it('never resurrects: a tombstone that went was the last of its key', () => {
    const bench = new Bench().append(['a=1']).append(['a=']).append(['f=2']).clean();
    advance(bench.kernel, compaction.deleteRetentionMs);
    bench.append(['f=3']).clean();
    expect(bench.left).toEqual(['2:f=2', '3:f=3']);
  });

  it('keeps the newest batch of a producer, empty, with the sequence that it holds', () => {
    const producer = { producerId: 7, baseSequence: 0 };
    const bench = new Bench()
      .append(['a=1', 'b=1'], producer)
      .append(['a=2', 'b=2'])
      .append(['x=3']);
    bench.clean();
    expect(bench.left).toEqual(['2:a=2', '3:b=2', '4:x=3']);
    const [first] = bench.log.batches;
    expect(first).toBeInstanceOf(CompactedBatch);
    expect(first).toMatchObject({ baseOffset: 0, lastOffset: 1, recordCount: 0, producerId: 7 });
    const next = batchOf(['c'], { producerId: 7, producerEpoch: 0, baseSequence: 2 });
    expect(bench.log.producers.judge(next)).toEqual({ kind: 'append' });
  });
});

describe('a sparse log', () => {
  const sparse = () =>
    new Bench().append(['a=1']).append(['a=2']).append(['a=3']).append(['a=4']).clean();

  it('is read from the next batch that there is', () => {
    const { log } = sparse();
    expect(log.read(0, Infinity, 1_000).map(({ baseOffset }) => baseOffset)).toEqual([2, 3]);
  });

  it('that is cut in a gap ends there, and goes on there', () => {
    const bench = sparse();
    bench.log.truncateTo(1);
    expect([bench.log.end, bench.left]).toEqual([1, []]);
    bench.append(['a=5']);
    expect(bench.left).toEqual(['1:a=5']);
    expect(bench.log.cleanedTo).toBe(1);
  });

  it('that is cut at a batch ends where that began', () => {
    const bench = sparse();
    bench.log.truncateTo(3);
    expect([bench.log.end, bench.left]).toEqual([3, ['2:a=3']]);
  });
});

describe('defects', () => {
  const written = (node = 1) => new Bench(node).append(['a=1']).append(['b=1']).append(['x=2']);

  it('cleaner-drops-last: a key that is not written again is gone', () => {
    expect(written().clean(3, 'cleaner-drops-last').left).toEqual(['2:x=2']);
    expect(written().clean(3).left).toEqual(['0:a=1', '1:b=1', '2:x=2']);
  });

  it('cleaner-of-one-node: on that node alone', () => {
    expect(written(2).clean(3, 'cleaner-of-one-node').left).toEqual(['2:x=2']);
    expect(written(1).clean(3, 'cleaner-of-one-node').left).toHaveLength(3);
  });

  it('tombstones-before-values: a tombstone goes, and its value stays', () => {
    const bench = new Bench().append(['a=1']).append(['a=']).append(['x=2']);
    expect(bench.clean(3, 'tombstones-before-values').left).toEqual(['0:a=1', '2:x=2']);
  });
});
