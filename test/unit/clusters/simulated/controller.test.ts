/** The controller over a quorum of one, which commits at once; brokers 1, 2 and 3 are only requests. */
import { describe, expect, it } from 'vitest';
import {
  Controller,
  type ControllerRequest,
  type ControllerResponse,
} from '../../../../src/clusters/simulated/controller.ts';
import {
  MetadataImage,
  type PartitionState,
} from '../../../../src/clusters/simulated/metadata-image.ts';
import { brokerSettings } from '../../../../src/clusters/simulated/settings.ts';
import type { NodeId } from '../../../../src/spi/cluster.ts';
import { ModelQuorum } from '../../../support/model-quorum.ts';

type Request<Type> = Extract<ControllerRequest, { type: Type }>;

class Scene {
  readonly quorum = new ModelQuorum('1', [1]);
  readonly #controller: Controller;
  readonly #incarnations = new Map<NodeId, number>();
  /** Brokers that send their heartbeats while time passes. */
  #alive: NodeId[] = [];

  constructor(defects: readonly string[] = []) {
    this.quorum.until(() => this.quorum.leading().length === 1);
    const { process, quorum } = this.quorum.voter(1);
    this.#controller = new Controller({
      process,
      quorum: quorum!,
      settings: brokerSettings,
      defects: new Set(defects),
    });
  }

  /** All three brokers alive, and orders/0 with these replicas. */
  static started(
    config = { minInSync: 2, unclean: false, compaction: null },
    defects: readonly string[] = [],
  ): Scene {
    const scene = new Scene(defects);
    for (const broker of [1, 2, 3]) scene.start(broker);
    scene.ask({ type: 'create-topic', topic: 'orders', replicas: [[1, 2, 3]], config });
    return scene;
  }

  ask(request: ControllerRequest): ControllerResponse | null {
    let answer: ControllerResponse | null = null;
    this.#controller.handle(request, (response) => {
      answer = response;
    });
    return answer;
  }

  /** What is committed, as a broker would apply it. */
  get image(): MetadataImage {
    const image = new MetadataImage();
    for (const { record } of this.quorum.voter(1).disk.log) image.apply(record);
    return image;
  }

  get orders(): PartitionState {
    return this.image.partitions.get('orders/0')!;
  }

  /** Begins another life of it, after one that was killed unless it says otherwise. */
  start(broker: NodeId, stoppedInOrder = false): void {
    const incarnation = (this.#incarnations.get(broker) ?? 0) + 1;
    this.#incarnations.set(broker, incarnation);
    this.ask({ type: 'register', broker, incarnation, stoppedInOrder });
    this.#alive = [...this.#alive.filter((other) => other !== broker), broker];
    this.heartbeat(broker);
  }

  stop(broker: NodeId): void {
    this.#alive = this.#alive.filter((other) => other !== broker);
    this.advance(brokerSettings.sessionMs + 500);
  }

  heartbeat(broker: NodeId, more: Partial<Request<'heartbeat'>> = {}): ControllerResponse | null {
    const incarnation = this.#incarnations.get(broker) ?? 0;
    const { applied } = this.image;
    return this.ask({
      type: 'heartbeat',
      broker,
      incarnation,
      applied,
      wantsShutdown: false,
      ...more,
    });
  }

  alter(inSync: readonly NodeId[], more: Partial<Request<'alter-partition'>> = {}): string {
    const { leader: broker, leaderEpoch, partitionEpoch } = this.orders;
    const base = { broker, leaderEpoch, partitionEpoch, inSync, log: 'orders/0' };
    return this.ask({ type: 'alter-partition', ...base, ...more })?.error ?? 'no answer';
  }

  elect(election: 'preferred' | 'unclean', log = 'orders/0'): unknown {
    const answer = this.ask({ type: 'elect', election, logs: [log] });
    return (answer?.['results'] as readonly { readonly error: string }[])[0]?.error;
  }

  advance(ms: number): void {
    for (let passed = 0; passed < ms; passed += brokerSettings.heartbeatMs) {
      for (const broker of this.#alive) this.heartbeat(broker);
      this.quorum.advance(brokerSettings.heartbeatMs);
    }
  }
}

describe('a broker', () => {
  it('is let in when it has applied its own registration, and not before', () => {
    const scene = new Scene();
    scene.ask({ type: 'register', broker: 1, incarnation: 1, stoppedInOrder: false });
    expect(scene.image.liveBrokers()).toEqual([]);
    const { registeredAt } = scene.image.brokers.get(1)!;
    const heartbeat = { type: 'heartbeat', broker: 1, incarnation: 1 } as const;
    scene.ask({ ...heartbeat, applied: registeredAt - 1, wantsShutdown: false });
    expect(scene.image.liveBrokers()).toEqual([]);
    scene.ask({ ...heartbeat, applied: registeredAt, wantsShutdown: false });
    expect(scene.image.liveBrokers()).toEqual([1]);
  });

  it('is fenced when its session is over, 3 s after its last heartbeat', () => {
    const scene = Scene.started();
    scene.advance(60_000);
    expect(scene.image.liveBrokers()).toEqual([1, 2, 3]);
    scene.stop(3);
    expect(scene.image.liveBrokers()).toEqual([1, 2]);
    expect(scene.orders).toMatchObject({ leader: 1, leaderEpoch: 0, inSync: [1, 2] });
    scene.heartbeat(3);
    expect(scene.image.liveBrokers()).toEqual([1, 2, 3]);
    // Alive is not in sync.
    expect(scene.orders.inSync).toEqual([1, 2]);
  });

  it('that comes back in another life is fenced first; the old life is not registered any more', () => {
    const scene = Scene.started();
    scene.ask({ type: 'register', broker: 1, incarnation: 2, stoppedInOrder: false });
    expect(scene.image.liveBrokers()).toEqual([2, 3]);
    expect(scene.orders).toMatchObject({ leader: 2, leaderEpoch: 1, inSync: [2, 3] });
    expect(scene.heartbeat(1, { incarnation: 1 })).toEqual({ error: 'BROKER_ID_NOT_REGISTERED' });
    const length = scene.image.applied;
    scene.ask({ type: 'register', broker: 1, incarnation: 2, stoppedInOrder: false });
    expect(scene.image.applied).toBe(length);
  });
});

describe('a leader that is gone', () => {
  it('is followed by the first in-sync replica, in the order of the replicas', () => {
    const scene = Scene.started();
    expect(scene.alter([1, 3])).toBe('NONE');
    scene.stop(1);
    expect(scene.orders).toMatchObject({ leader: 3, leaderEpoch: 1, inSync: [3] });
  });

  it('leaves nobody if no other is in sync, and leads again when it is back', () => {
    const scene = Scene.started({ minInSync: 1, unclean: false, compaction: null });
    scene.alter([1]);
    scene.stop(1);
    expect(scene.orders).toMatchObject({ leader: -1, leaderEpoch: 1, inSync: [], eligible: [1] });
    scene.advance(10_000);
    expect(scene.orders.leader).toBe(-1);
    scene.start(1, true);
    expect(scene.orders).toMatchObject({ leader: 1, leaderEpoch: 2, inSync: [1], eligible: [] });
  });

  it('that nobody else could follow is taken at its word when it comes back from a kill', () => {
    const scene = Scene.started({ minInSync: 1, unclean: false, compaction: null });
    scene.alter([1]);
    scene.stop(1);
    expect(scene.orders.lastLeader).toBe(1);
    scene.start(1);
    expect(scene.orders).toMatchObject({ leader: 1, inSync: [1], eligible: [], lastLeader: -1 });
  });

  it('is followed by any live replica where unclean elections are allowed', () => {
    const scene = Scene.started({ minInSync: 1, unclean: true, compaction: null });
    scene.alter([1]);
    scene.stop(1);
    expect(scene.orders).toMatchObject({ leader: 2, leaderEpoch: 1, inSync: [2] });
  });
});

describe('an eligible replica', () => {
  it('is one that left while too few stayed for the watermark to rise, and may lead', () => {
    const scene = Scene.started();
    scene.alter([1, 2]);
    expect(scene.orders.eligible).toEqual([]);
    scene.alter([1]);
    expect(scene.orders).toMatchObject({ inSync: [1], eligible: [2] });
    scene.stop(1);
    expect(scene.orders).toMatchObject({ leader: 2, inSync: [2], eligible: [1] });
    scene.start(1, true);
    expect(scene.orders).toMatchObject({ leader: 2, inSync: [2], eligible: [1] });
    scene.alter([2, 1]);
    expect(scene.orders.eligible).toEqual([]);
  });

  it('is none any more when it was killed: its disk may have lost what it had', () => {
    const scene = Scene.started();
    scene.alter([1, 2]);
    scene.stop(1);
    scene.stop(2);
    expect(scene.orders).toMatchObject({ leader: -1, inSync: [], eligible: [1, 2] });
    scene.start(2);
    expect(scene.orders).toMatchObject({ leader: -1, inSync: [], eligible: [1] });
    // It was frozen, not killed.
    scene.heartbeat(1);
    expect(scene.orders).toMatchObject({ leader: 1, inSync: [1], eligible: [] });
  });

  it('that is killed while it is elected from is not trusted again', () => {
    const scene = Scene.started();
    scene.alter([1]);
    scene.start(1);
    expect(scene.orders).toMatchObject({ leader: 2, inSync: [2], eligible: [3] });
  });
});

describe('a change of the in-sync set', () => {
  it('counts if it comes from the leader of this epoch, about the partition as it is now', () => {
    const scene = Scene.started();
    const { partitionEpoch } = scene.orders;
    expect(scene.alter([1, 2])).toBe('NONE');
    expect(scene.orders).toMatchObject({ inSync: [1, 2], leaderEpoch: 0 });
    expect(scene.orders.partitionEpoch).toBe(partitionEpoch + 1);
    expect(scene.alter([1, 2, 3], { partitionEpoch })).toBe('INVALID_UPDATE_VERSION');
    expect(scene.alter([1, 2, 3], { broker: 2 })).toBe('FENCED_LEADER_EPOCH');
    expect(scene.alter([1, 2, 3], { leaderEpoch: 7 })).toBe('FENCED_LEADER_EPOCH');
    expect(scene.alter([1], { log: 'nothing/0' })).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    expect(scene.orders.inSync).toEqual([1, 2]);
    expect(scene.alter([1, 2, 3])).toBe('NONE');
    expect(scene.orders.inSync).toEqual([1, 2, 3]);
  });

  it('does not let in who is fenced', () => {
    const scene = Scene.started();
    scene.stop(3);
    expect(scene.alter([1, 2, 3])).toBe('INELIGIBLE_REPLICA');
    scene.start(3);
    expect(scene.alter([1, 2, 3])).toBe('NONE');
  });
});

describe('an election that was asked for', () => {
  it('of the preferred leader moves it there if it is in sync and alive', () => {
    const scene = Scene.started();
    expect(scene.elect('preferred')).toBe('ELECTION_NOT_NEEDED');
    scene.stop(1);
    expect(scene.elect('preferred')).toBe('PREFERRED_LEADER_NOT_AVAILABLE');
    scene.start(1);
    expect(scene.elect('preferred')).toBe('PREFERRED_LEADER_NOT_AVAILABLE');
    scene.alter([2, 3, 1]);
    const { leaderEpoch } = scene.orders;
    expect(scene.elect('preferred')).toBe('NONE');
    expect(scene.orders).toMatchObject({ leader: 1, leaderEpoch: leaderEpoch + 1 });
    expect(scene.elect('preferred', 'nothing/0')).toBe('UNKNOWN_TOPIC_OR_PARTITION');
  });

  it('an unclean one takes whoever lives, and only where there is no leader', () => {
    const scene = Scene.started({ minInSync: 1, unclean: false, compaction: null });
    expect(scene.elect('unclean')).toBe('ELECTION_NOT_NEEDED');
    scene.alter([1]);
    scene.stop(1);
    expect(scene.elect('unclean')).toBe('NONE');
    expect(scene.orders).toMatchObject({ leader: 2, inSync: [2] });
  });
});

describe('an orderly shutdown', () => {
  it('hands leadership over, leaves the in-sync set, and may end then', () => {
    const scene = Scene.started();
    expect(scene.heartbeat(1, { wantsShutdown: true })).toMatchObject({ mayStop: true });
    expect(scene.orders).toMatchObject({ leader: 2, leaderEpoch: 1, inSync: [2, 3] });
    // Alive, but on its way out: it may neither lead nor enter.
    expect(scene.image.isLive(1)).toBe(true);
    expect(scene.alter([2, 3, 1])).toBe('INELIGIBLE_REPLICA');
    scene.start(1);
    expect(scene.alter([2, 3, 1])).toBe('NONE');
  });

  it('of the last in-sync member has to wait: nobody else may lead', () => {
    const scene = Scene.started({ minInSync: 1, unclean: false, compaction: null });
    scene.alter([1]);
    expect(scene.heartbeat(1, { wantsShutdown: true })).toMatchObject({ mayStop: false });
    expect(scene.orders).toMatchObject({ leader: 1, inSync: [1] });
  });
});

describe('topics and producer ids', () => {
  it('a topic is created once, on nodes that exist', () => {
    const scene = Scene.started();
    const config = { minInSync: 1, unclean: false, compaction: null };
    const create = (topic: string, replicas: readonly NodeId[]): ControllerResponse | null =>
      scene.ask({ type: 'create-topic', topic, replicas: [replicas], config });
    expect(create('orders', [1])).toEqual({ error: 'TOPIC_ALREADY_EXISTS' });
    expect(create('other', [1, 9])).toEqual({ error: 'INVALID_REPLICA_ASSIGNMENT' });
    expect(create('other', [3, 1])).toEqual({ error: 'NONE' });
    expect(scene.image.partitions.get('other/0')).toMatchObject({
      leader: 3,
      leaderEpoch: 0,
      inSync: [3, 1],
    });
  });

  it('blocks of producer ids never overlap, but with the defect they are one', () => {
    const sound = new Scene();
    const first = sound.ask({ type: 'producer-ids' });
    const second = sound.ask({ type: 'producer-ids' });
    expect(first).toEqual({ error: 'NONE', first: 1_000, count: 100 });
    expect(second).toEqual({ error: 'NONE', first: 1_100, count: 100 });
    const defective = new Scene(['producer-id-reused']);
    const blocks = [0, 1].map(() => defective.ask({ type: 'producer-ids' })?.['first']);
    expect(blocks).toEqual([1_000, 1_000]);
  });
});

describe('defects', () => {
  it('election-ignores-in-sync: the last live replica leads, in sync or not', () => {
    const scene = Scene.started(undefined, ['election-ignores-in-sync']);
    scene.alter([1, 2]);
    scene.stop(1);
    expect(scene.orders).toMatchObject({ leader: 3 });
  });

  it('restart-keeps-in-sync: a broker that comes back is still trusted', () => {
    const scene = Scene.started(undefined, ['restart-keeps-in-sync']);
    scene.start(3);
    expect(scene.orders.inSync).toEqual([1, 2, 3]);
  });

  it('stuck-without-leader: nobody follows, whoever lives', () => {
    const scene = Scene.started(undefined, ['stuck-without-leader']);
    scene.stop(1);
    scene.start(1);
    scene.advance(10_000);
    expect(scene.orders.leader).toBe(-1);
  });
});
