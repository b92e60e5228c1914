/** One replica on its own: node 1, of the replicas 1, 2 and 3, with a controller that the test plays. */
import { describe, expect, it } from 'vitest';
import { Kernel } from '../../../../src/clusters/simulated/kernel.ts';
import type { PartitionState } from '../../../../src/clusters/simulated/metadata-image.ts';
import { NodeProcess } from '../../../../src/clusters/simulated/node-process.ts';
import { ReplicaLog } from '../../../../src/clusters/simulated/replica-log.ts';
import { Replica } from '../../../../src/clusters/simulated/replica.ts';
import { brokerSettings } from '../../../../src/clusters/simulated/settings.ts';
import type { Appended } from '../../../../src/clusters/simulated/waiting-produces.ts';
import type { RecordBatch } from '../../../../src/kafka-protocol/record-batch.ts';
import type { NodeId } from '../../../../src/spi/cluster.ts';
import { batchOf, valuesOf } from '../../../support/model-batches.ts';
import { advance } from '../../../support/model-cluster.ts';

const led: PartitionState = {
  log: 'orders/0',
  topic: 'orders',
  partition: 0,
  replicas: [1, 2, 3],
  config: { minInSync: 2, unclean: false, compaction: null },
  inSync: [1, 2, 3],
  leader: 1,
  leaderEpoch: 0,
  eligible: [],
  lastLeader: -1,
  partitionEpoch: 0,
};

interface Proposal {
  readonly inSync: readonly NodeId[];
  readonly answer: (error: string) => void;
}

class Scene {
  readonly kernel = new Kernel();
  readonly proposals: Proposal[] = [];
  readonly log: ReplicaLog;
  readonly replica: Replica;
  hearsController = true;
  live: readonly NodeId[] = [1, 2, 3];

  constructor(state: PartitionState, defects: readonly string[] = [], log = new ReplicaLog()) {
    const process = new NodeProcess(1, this.kernel, 0);
    process.begin();
    this.log = log;
    this.replica = new Replica(state, log, {
      process,
      settings: brokerSettings,
      defects: new Set(defects),
      alterInSync: (_state, inSync, answer) => this.proposals.push({ inSync, answer }),
      isLive: (broker) => this.live.includes(broker),
      hearsController: () => this.hearsController,
    });
    this.replica.become(state);
  }

  advance(ms: number): void {
    advance(this.kernel, ms);
  }

  /** @returns the answers, of which there is at most one. */
  produce(records: readonly string[] | RecordBatch, acks = -1): readonly Appended[] {
    const answers: Appended[] = [];
    const batch = 'recordCount' in records ? records : batchOf(records);
    this.replica.produce(batch, acks, 1_000, (appended) => answers.push(appended));
    return answers;
  }

  /** Both followers hold all that is below `offset`. */
  fetched(offset: number, by: readonly NodeId[] = [2, 3]): void {
    for (const follower of by) this.replica.fetchedBy(follower, offset, this.log.lastEpoch);
  }

  /** The metadata log grants what was proposed last. */
  grant(state: PartitionState = led): PartitionState {
    const { inSync, answer } = this.proposals.at(-1)!;
    answer('NONE');
    const partitionEpoch = this.replica.state.partitionEpoch + 1;
    const granted = { ...state, inSync, partitionEpoch };
    this.replica.become(granted);
    return granted;
  }
}

const ok = (baseOffset: number): Appended => ({ error: 'NONE', baseOffset });
const failed = (error: string): Appended => ({ error, baseOffset: -1 });

describe('a leader that appends', () => {
  it.each([0, 1])('with acks %d answers at once', (acks) => {
    const scene = new Scene(led);
    expect(scene.produce(['a', 'b'], acks)).toEqual([ok(0)]);
    expect(scene.produce(['c'], acks)).toEqual([ok(2)]);
    expect(valuesOf(scene.log.batches)).toEqual(['a', 'b', 'c']);
    expect(scene.log.batches[1]).toMatchObject({ baseOffset: 2, lastOffset: 2, leaderEpoch: 0 });
    expect(scene.replica.highWatermark).toBe(0);
  });

  it('with acks all answers when all in sync hold it, and not before', () => {
    const scene = new Scene(led);
    const first = scene.produce(['a', 'b']);
    const second = scene.produce(['c']);
    scene.fetched(3, [2]);
    expect([first, second]).toEqual([[], []]);
    scene.fetched(2, [3]);
    expect([first, second]).toEqual([[ok(0)], []]);
    scene.fetched(3, [3]);
    expect(second).toEqual([ok(2)]);
  });

  it('answers REQUEST_TIMED_OUT in time, and keeps the record', () => {
    const scene = new Scene(led);
    const answers = scene.produce(['a']);
    scene.advance(1_001);
    expect(answers).toEqual([failed('REQUEST_TIMED_OUT')]);
    scene.fetched(1);
    expect(answers).toHaveLength(1);
    expect(scene.replica.highWatermark).toBe(1);
  });

  it('refuses acks all below the minimum in sync, before it appends; acks 1 is none of that', () => {
    const scene = new Scene({ ...led, inSync: [1] });
    expect(scene.produce(['a'])).toEqual([failed('NOT_ENOUGH_REPLICAS')]);
    expect(scene.log.end).toBe(0);
    expect(scene.produce(['b'], 1)).toEqual([ok(0)]);
  });

  it('shows and acknowledges nothing while fewer are in sync than min.insync.replicas', () => {
    const scene = new Scene(led);
    const answers = scene.produce(['a']);
    scene.replica.become({ ...led, inSync: [1], partitionEpoch: 1 });
    expect([answers, scene.replica.highWatermark]).toEqual([[], 0]);
    scene.replica.become({ ...led, inSync: [1, 2], partitionEpoch: 2 });
    scene.fetched(1, [2]);
    expect([answers, scene.replica.highWatermark]).toEqual([[{ error: 'NONE', baseOffset: 0 }], 1]);
  });

  it('fails who waits when it leads no more, and refuses what comes then', () => {
    const scene = new Scene(led);
    const answers = scene.produce(['a']);
    scene.replica.become({ ...led, leader: 2, leaderEpoch: 1, partitionEpoch: 1 });
    expect(answers).toEqual([failed('NOT_LEADER_OR_FOLLOWER')]);
    expect(scene.produce(['b'])).toEqual([failed('NOT_LEADER_OR_FOLLOWER')]);
    expect(scene.log.end).toBe(1);
  });

  it('answers nobody when its process ends', () => {
    const scene = new Scene(led);
    const answers = scene.produce(['a']);
    scene.replica.end();
    scene.advance(2_000);
    expect(answers).toEqual([]);
  });

  it('answers a repeated batch with its old offset, once it is replicated, and appends nothing', () => {
    const scene = new Scene(led);
    const batch = batchOf(['a'], { producerId: 7, producerEpoch: 0, baseSequence: 0 });
    const first = scene.produce(batch);
    const repeated = scene.produce(batch);
    expect([first, repeated]).toEqual([[], []]);
    scene.fetched(1);
    expect([first, repeated]).toEqual([[ok(0)], [ok(0)]]);
    expect(scene.produce(batch)).toEqual([ok(0)]);
    expect(scene.log.end).toBe(1);
    const ahead = batchOf(['c'], { producerId: 7, producerEpoch: 0, baseSequence: 2 });
    expect(scene.produce(ahead)).toEqual([failed('OUT_OF_ORDER_SEQUENCE_NUMBER')]);
  });
});

describe('the high watermark', () => {
  it('is the least end in sync: who is out of sync does not count', () => {
    const scene = new Scene({ ...led, inSync: [1, 2] });
    scene.produce(['a', 'b'], 1);
    scene.fetched(1, [2]);
    expect(scene.replica.highWatermark).toBe(1);
    scene.fetched(0, [2]);
    expect(scene.replica.highWatermark).toBe(1);
  });

  it('waits for who was proposed, from the proposal on: it may be in sync by now', () => {
    const scene = new Scene({ ...led, inSync: [1, 2] });
    scene.produce(['a'], 1);
    scene.fetched(1);
    expect(scene.proposals.map(({ inSync }) => inSync)).toEqual([[1, 2, 3]]);
    scene.produce(['b'], 1);
    scene.fetched(2, [2]);
    expect(scene.replica.highWatermark).toBe(1);
    scene.proposals[0]!.answer('INELIGIBLE_REPLICA');
    scene.fetched(2, [2]);
    expect(scene.replica.highWatermark).toBe(2);
  });

  it('of a new leader begins where it knew it, and the end is known when its own epoch is passed', () => {
    const log = new ReplicaLog();
    log.append(batchOf(['a', 'b'], { leaderEpoch: 0 }), 0);
    log.checkpoint = 1;
    const scene = new Scene({ ...led, leaderEpoch: 4 }, [], log);
    expect([scene.replica.highWatermark, scene.replica.knowsEnd]).toEqual([1, false]);
    scene.fetched(2, [2]);
    expect(scene.replica.knowsEnd).toBe(false);
    scene.fetched(2, [3]);
    expect([scene.replica.highWatermark, scene.replica.knowsEnd]).toEqual([2, true]);
  });

  it('of a follower is its leader’s, up to what it has', () => {
    const scene = new Scene({ ...led, leader: 2 });
    scene.replica.replicate([batchOf(['a'], { leaderEpoch: 0 })], 5);
    expect(scene.replica.highWatermark).toBe(1);
    scene.replica.checkpoint();
    expect(scene.log.checkpoint).toBe(1);
  });
});

describe('the in-sync set', () => {
  it('loses a follower that has not caught up for replica.lag.time.max', () => {
    const scene = new Scene(led);
    scene.produce(['a'], 1);
    scene.advance(4_000);
    scene.fetched(1, [2]);
    scene.advance(1_500);
    scene.replica.checkLag();
    expect(scene.proposals.map(({ inSync }) => inSync)).toEqual([[1, 2]]);
    // One proposal at a time.
    scene.replica.checkLag();
    expect(scene.proposals).toHaveLength(1);
    expect(scene.replica.highWatermark).toBe(0);
    scene.grant();
    expect(scene.replica.highWatermark).toBe(1);
  });

  it('keeps a follower that is behind but reaches, at each fetch, where the end was at the last', () => {
    const scene = new Scene(led);
    let offset = 0;
    for (let second = 0; second < 20; second++) {
      scene.produce([`${second}`], 1);
      scene.fetched(offset);
      offset = second + 1;
      scene.advance(1_000);
      scene.replica.checkLag();
    }
    expect(scene.proposals).toEqual([]);
  });

  it('takes a follower back that reaches the watermark and this leader’s epoch, if it is alive', () => {
    const log = new ReplicaLog();
    log.append(batchOf(['a', 'b'], { leaderEpoch: 0 }), 0);
    const scene = new Scene({ ...led, inSync: [1, 2], leaderEpoch: 1 }, [], log);
    scene.live = [1, 2];
    scene.fetched(2, [3]);
    expect(scene.proposals).toEqual([]);
    scene.live = [1, 2, 3];
    scene.fetched(1, [3]);
    expect(scene.proposals).toEqual([]);
    scene.fetched(2, [3]);
    expect(scene.proposals.map(({ inSync }) => inSync)).toEqual([[1, 2, 3]]);
  });

  it('is proposed again until it is granted, for an answer that was lost may have granted it', () => {
    const scene = new Scene({ ...led, inSync: [1, 2] });
    scene.fetched(0, [3]);
    scene.proposals[0]!.answer('REQUEST_TIMED_OUT');
    scene.advance(501);
    expect(scene.proposals).toHaveLength(2);
    scene.proposals[1]!.answer('NOT_CONTROLLER');
    scene.advance(501);
    expect(scene.proposals).toHaveLength(3);
    scene.proposals[2]!.answer('INVALID_UPDATE_VERSION');
    scene.advance(501);
    expect(scene.proposals).toHaveLength(4);
    scene.proposals[3]!.answer('INELIGIBLE_REPLICA');
    scene.advance(5_000);
    expect(scene.proposals).toHaveLength(4);
  });
});

describe('a follower', () => {
  /** Epochs 0, 0, 2, 2. */
  function follower(): Scene {
    const scene = new Scene({ ...led, leader: 2, leaderEpoch: 3 });
    scene.replica.replicate([batchOf(['a', 'b'], { leaderEpoch: 0 })], 1);
    scene.replica.replicate([batchOf(['c'], { baseOffset: 2, leaderEpoch: 2 })], 1);
    scene.replica.replicate([batchOf(['d'], { baseOffset: 3, leaderEpoch: 2 })], 4);
    return scene;
  }

  it('takes each batch once', () => {
    const scene = follower();
    scene.replica.replicate([batchOf(['d'], { baseOffset: 3, leaderEpoch: 2 })], 4);
    expect(valuesOf(scene.log.batches)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('cuts off what its leader ended earlier, and its watermark with it', () => {
    const scene = follower();
    scene.replica.cutOff({ epoch: 2, end: 3 });
    expect([scene.log.end, scene.replica.highWatermark]).toEqual([3, 3]);
  });

  it('cuts off all that is newer than its own part of the epoch that both know', () => {
    const scene = follower();
    scene.replica.cutOff({ epoch: 0, end: 3 });
    expect([scene.log.end, scene.log.lastEpoch]).toEqual([2, 0]);
  });

  it('that has nothing of the epoch that its leader names cuts back to its own older one', () => {
    const scene = follower();
    // The leader wrote offset 2 to 9 in epoch 1, of which this log has nothing: epoch 2 goes.
    scene.replica.cutOff({ epoch: 1, end: 9 });
    expect([scene.log.end, scene.log.lastEpoch]).toEqual([2, 0]);
  });

  it('and its leader come to one log, wherever they part', () => {
    const leaderLog = new ReplicaLog();
    leaderLog.append(batchOf(['a', 'b'], { leaderEpoch: 0 }), 0);
    leaderLog.append(batchOf(['x', 'y', 'z'], { baseOffset: 2, leaderEpoch: 1 }), 0);
    const leader = new Scene({ ...led, leaderEpoch: 3 }, [], leaderLog);
    const { log, replica } = follower();
    let fetches = 0;
    for (; fetches < 5; fetches++) {
      const diverging = leader.replica.fetchedBy(2, log.end, log.lastEpoch);
      if (diverging === null) break;
      replica.cutOff(diverging);
    }
    expect(fetches).toBe(1);
    replica.replicate(leader.log.read(log.end, Infinity, 10_000), 0);
    expect(valuesOf(log.batches)).toEqual(['a', 'b', 'x', 'y', 'z']);
  });

  it('whose log parts from its leader’s does not count as holding anything', () => {
    const log = new ReplicaLog();
    log.append(batchOf(['a', 'b'], { leaderEpoch: 0 }), 0);
    const scene = new Scene({ ...led, inSync: [1, 2], leaderEpoch: 2 }, [], log);
    expect(scene.replica.fetchedBy(2, 3, 0)).toEqual({ epoch: 0, end: 2 });
    expect(scene.replica.fetchedBy(2, 2, 1)).toEqual({ epoch: 0, end: 2 });
    expect(scene.replica.highWatermark).toBe(0);
    expect(scene.replica.fetchedBy(2, 2, 0)).toBeNull();
    expect(scene.replica.highWatermark).toBe(2);
  });
});

describe('metadata', () => {
  it('that is older than what the replica follows changes nothing', () => {
    const scene = new Scene({ ...led, leaderEpoch: 2, partitionEpoch: 5 });
    scene.replica.become({ ...led, leader: 2, leaderEpoch: 2, partitionEpoch: 4 });
    expect(scene.replica.leads).toBe(true);
    scene.replica.become({ ...led, leader: -1, leaderEpoch: 3, partitionEpoch: 6 });
    expect(scene.replica.leads).toBe(false);
  });
});

describe('defects', () => {
  it('ack-before-replication: acks all is answered at once', () => {
    const scene = new Scene(led, ['ack-before-replication']);
    expect(scene.produce(['a'])).toEqual([ok(0)]);
    expect(scene.replica.highWatermark).toBe(0);
  });

  it('stale-leader-acknowledges: only while the controllers are out of reach', () => {
    const scene = new Scene(led, ['stale-leader-acknowledges']);
    expect(scene.produce(['a'])).toEqual([]);
    scene.hearsController = false;
    expect(scene.produce(['b'])).toEqual([ok(1)]);
  });

  it('silent-followers-ignored: the watermark passes who has been silent for a second', () => {
    const scene = new Scene(led, ['silent-followers-ignored']);
    scene.produce(['a'], 1);
    scene.fetched(1, [2]);
    expect(scene.replica.highWatermark).toBe(0);
    scene.advance(1_100);
    scene.fetched(1, [2]);
    expect(scene.replica.highWatermark).toBe(1);
  });

  it('watermark-by-majority: two of three are enough', () => {
    const scene = new Scene(led, ['watermark-by-majority']);
    const answers = scene.produce(['a']);
    expect(answers).toEqual([]);
    scene.fetched(1, [3]);
    expect(answers).toEqual([ok(0)]);
  });

  it('truncate-to-watermark: a replica that changes its role forgets what is above its watermark', () => {
    const scene = new Scene(led, ['truncate-to-watermark']);
    scene.produce(['a'], 1);
    scene.produce(['b'], 1);
    scene.fetched(1);
    scene.replica.become({ ...led, leader: 2, leaderEpoch: 1, partitionEpoch: 1 });
    expect(valuesOf(scene.log.batches)).toEqual(['a']);
  });

  it('no-truncation: a follower is not told where it parts', () => {
    const scene = new Scene(led, ['no-truncation']);
    scene.produce(['a'], 1);
    expect(scene.replica.fetchedBy(2, 3, 0)).toBeNull();
  });

  it('offset-reuse: a new leader begins a batch early', () => {
    const log = new ReplicaLog();
    log.append(batchOf(['a'], { leaderEpoch: 0 }), 0);
    log.append(batchOf(['b'], { baseOffset: 1, leaderEpoch: 0 }), 0);
    const scene = new Scene({ ...led, leaderEpoch: 1 }, ['offset-reuse'], log);
    expect(scene.produce(['c'], 1)).toEqual([ok(1)]);
  });

  it('forget-producers-on-election and no-sequence-check: what is repeated is appended again', () => {
    const batch = batchOf(['a'], { producerId: 7, producerEpoch: 0, baseSequence: 0 });
    for (const defect of ['forget-producers-on-election', 'no-sequence-check']) {
      const log = new ReplicaLog();
      log.append({ ...batch, leaderEpoch: 0 }, 0);
      expect(new Scene({ ...led, leaderEpoch: 1 }, [defect], log).produce(batch, 1)).toEqual([
        ok(1),
      ]);
    }
  });

  it('partial-batch and batch-reversed: what is appended is not what was sent', () => {
    const partial = new Scene(led, ['partial-batch']);
    partial.produce(['a', 'b', 'c'], 1);
    partial.produce(['d'], 1);
    expect(valuesOf(partial.log.batches)).toEqual(['a', 'b', 'd']);
    const reversed = new Scene(led, ['batch-reversed']);
    reversed.produce(['a', 'b', 'c'], 1);
    expect(valuesOf(reversed.log.batches)).toEqual(['c', 'b', 'a']);
  });

  it('refused-after-append: NOT_ENOUGH_REPLICAS, and yet it is there', () => {
    const scene = new Scene({ ...led, inSync: [1] }, ['refused-after-append']);
    expect(scene.produce(['a'])).toEqual([failed('NOT_ENOUGH_REPLICAS')]);
    expect(valuesOf(scene.log.batches)).toEqual(['a']);
  });

  it('serve-beyond-watermark: readers are shown the end of the log', () => {
    const sound = new Scene(led);
    const scene = new Scene(led, ['serve-beyond-watermark']);
    for (const each of [sound, scene]) each.produce(['a'], 1);
    expect([sound.replica.visibleEnd, scene.replica.visibleEnd]).toEqual([0, 1]);
  });
});
