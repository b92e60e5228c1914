/**
 * One replica of a log on one broker: as leader it appends, keeps track of its followers, moves the high watermark and
 * answers producers; as follower it copies its leader's log and cuts off what the leader does not have.
 */
import { batchAt, type RecordBatch, recordAt } from '../../kafka-protocol/record-batch.ts';
import { nsPerMs } from '../../core/units.ts';
import type { NodeId } from '../../spi/cluster.ts';
import { clean } from './cleaner.ts';
import { type FetchWait, type Follower, Followers } from './followers.ts';
import type { LogKey, PartitionState } from './metadata-image.ts';
import type { NodeProcess } from './node-process.ts';
import type { LogEnd, ReplicaLog } from './replica-log.ts';
import type { BrokerSettings } from './settings.ts';
import { type Appended, WaitingProduces } from './waiting-produces.ts';

const proposeAgainMs = 500;

export interface ReplicaParts {
  readonly process: NodeProcess;
  readonly settings: BrokerSettings;
  readonly defects: ReadonlySet<string>;
  /** Asks the controller for another in-sync set; `done` gets the error's name. */
  readonly alterInSync: (
    state: PartitionState,
    inSync: readonly NodeId[],
    done: (error: string) => void,
  ) => void;
  readonly isLive: (broker: NodeId) => boolean;
  /** False while the controllers are out of this broker's reach. */
  readonly hearsController: () => boolean;
}

/** A client's fetch that waits at one log. */
export interface FetchWaiter extends FetchWait {
  isReady(): boolean;
}

/** What a follower asks its leader for, and what it knows by then. */
export interface ReplicaPosition {
  readonly log: LogKey;
  readonly leaderEpoch: number;
  readonly offset: number;
  readonly lastEpoch: number;
  readonly highWatermark: number;
}

export class Replica {
  readonly key: LogKey;
  readonly log: ReplicaLog;
  readonly #parts: ReplicaParts;
  #state: PartitionState;
  #role: 'leader' | 'follower' | 'none' = 'none';
  #highWatermark: number;
  #epochStart = 0;
  readonly #followers = new Followers();
  #proposed: readonly NodeId[] | null = null;
  readonly #waiting: WaitingProduces;
  /** A few at most, for which a list beats a set. */
  readonly #waiters: FetchWaiter[] = [];
  #ledSinceNs = 0;
  #position: ReplicaPosition | null = null;

  constructor(state: PartitionState, log: ReplicaLog, parts: ReplicaParts) {
    this.key = state.log;
    this.log = log;
    this.#state = state;
    this.#parts = parts;
    this.#waiting = new WaitingProduces(parts.process);
    this.#highWatermark = Math.min(log.checkpoint, log.end);
  }

  get state(): PartitionState {
    return this.#state;
  }

  get leads(): boolean {
    return this.#role === 'leader';
  }

  get highWatermark(): number {
    return this.#highWatermark;
  }

  /** The first offset of this leader's own epoch: before the watermark has passed it, the end is not known. */
  get knowsEnd(): boolean {
    return this.#highWatermark >= this.#epochStart;
  }

  /** Up to where clients may read. */
  get visibleEnd(): number {
    const beyond = this.#parts.defects.has('serve-beyond-watermark');
    return beyond ? this.log.end : this.#highWatermark;
  }

  /** When this replica became leader, ns. */
  get ledSinceNs(): number {
    return this.#ledSinceNs;
  }

  /** Takes over what the metadata log says of this partition. */
  become(state: PartitionState): void {
    const before = this.#state;
    const isNew = this.#role === 'none' || state.leaderEpoch > before.leaderEpoch;
    if (!isNew && state.partitionEpoch < before.partitionEpoch) return;
    this.#state = state;
    if (state.leader !== this.#parts.process.id) {
      if (isNew || this.#role === 'leader') this.#follow(state.leader >= 0 ? 'follower' : 'none');
      return;
    }
    if (isNew) this.#lead();
    else {
      this.#proposed = null;
      this.#advance();
    }
  }

  /** The process ends: whoever waits hears no more. */
  end(): void {
    this.#waiting.forget();
    this.#waiters.length = 0;
    this.#followers.replace([], 0, 0);
    this.#role = 'none';
  }

  wait(waiter: FetchWaiter): void {
    this.#waiters.push(waiter);
  }

  unwait(waiter: FetchWaiter): void {
    const at = this.#waiters.indexOf(waiter);
    if (at !== -1) this.#waiters.splice(at, 1);
  }

  /** A follower's fetch, just noted by `fetchedBy`, found nothing new. */
  letWait(follower: NodeId, wait: FetchWait): void {
    const known = this.#followers.of(follower);
    if (known !== undefined) known.waiting = wait;
  }

  /** As follower: where it stands. One and the same object as long as that does not change: most fetches bring nothing. */
  position(): ReplicaPosition {
    const { leaderEpoch } = this.#state;
    const { end: offset, lastEpoch } = this.log;
    const known = this.#position;
    if (
      known?.offset === offset &&
      known.highWatermark === this.#highWatermark &&
      known.lastEpoch === lastEpoch &&
      known.leaderEpoch === leaderEpoch
    ) {
      return known;
    }
    const highWatermark = this.#highWatermark;
    this.#position = { log: this.key, leaderEpoch, offset, lastEpoch, highWatermark };
    return this.#position;
  }

  /**
   * Appends one batch as leader.
   * @param acks -1: `done` is called when the in-sync set has it, or after `timeoutMs`; else at once.
   */
  produce(
    batch: RecordBatch,
    acks: number,
    timeoutMs: number,
    done: (appended: Appended) => void,
  ): void {
    const { defects } = this.#parts;
    if (this.#role !== 'leader') {
      done({ error: 'NOT_LEADER_OR_FOLLOWER', baseOffset: -1 });
      return;
    }
    const lacksReplicas = acks === -1 && !this.#hasEnoughReplicas();
    if (lacksReplicas && !defects.has('refused-after-append')) {
      done({ error: 'NOT_ENOUGH_REPLICAS', baseOffset: -1 });
      return;
    }
    const placed = this.#place(batch);
    if ('error' in placed) {
      done({ error: placed.error, baseOffset: -1 });
      return;
    }
    const { baseOffset, required } = placed;
    if (lacksReplicas) {
      done({ error: 'NOT_ENOUGH_REPLICAS', baseOffset: -1 });
      return;
    }
    if (acks !== -1 || this.#acknowledgesAlone()) {
      done({ error: 'NONE', baseOffset });
      return;
    }
    if (required <= this.#highWatermark) done({ error: 'NONE', baseOffset });
    else this.#waiting.add(required, baseOffset, timeoutMs, done);
  }

  /** A follower asks for what comes at `offset`: so it holds all below. @returns where to cut, if it holds other data. */
  fetchedBy(follower: NodeId, offset: number, lastEpoch: number): LogEnd | null {
    if (lastEpoch >= 0 && !this.#parts.defects.has('no-truncation')) {
      const here = this.log.endOfEpoch(lastEpoch);
      if (here.epoch !== lastEpoch || here.end < offset) return here;
    }
    const { nowNs } = this.#parts.process.kernel;
    const known = this.#followers.noteFetch(follower, offset, this.log.end, nowNs);
    if (known === undefined) return null;
    this.#mayEnter(known);
    this.#advance();
    return null;
  }

  /** As follower: appends what the leader sent, and takes over its watermark. */
  replicate(batches: readonly RecordBatch[], leaderWatermark: number): void {
    const { nowNs } = this.#parts.process.kernel;
    for (const batch of batches) {
      if (batch.baseOffset >= this.log.end) this.#append(batch, nowNs);
    }
    this.#raiseTo(Math.min(leaderWatermark, this.log.end));
  }

  /**
   * As follower: the leader's log parts from this one. Where this log has nothing of the leader's epoch, what it has of
   * later ones goes too (KIP-279), else the next fetch would part at the same place again.
   */
  cutOff(diverging: LogEnd): void {
    this.#truncateTo(Math.min(diverging.end, this.log.endOfEpoch(diverging.epoch).end));
  }

  /** As leader, now and then: followers that lag leave the in-sync set. */
  checkLag(): void {
    if (this.#role !== 'leader' || this.#proposed !== null) return;
    const { process, settings } = this.#parts;
    const limitNs = process.kernel.nowNs - settings.replicaLagMs * nsPerMs;
    const inSync = this.#state.inSync.filter(
      (replica) =>
        replica === process.id || (this.#followers.of(replica)?.caughtUpNs ?? 0) >= limitNs,
    );
    if (inSync.length < this.#state.inSync.length) this.#propose(inSync);
  }

  /** One pass of the cleaner, where the topic is compacted. */
  clean(): void {
    const { process, defects } = this.#parts;
    const { compaction } = this.#state.config;
    if (compaction !== null) clean(this.log, compaction, this.#highWatermark, { process, defects });
  }

  checkpoint(): void {
    this.log.checkpoint = Math.min(this.#highWatermark, this.log.end);
  }

  #append(batch: RecordBatch, nowNs: number): void {
    const { compaction } = this.#state.config;
    if (compaction !== null) this.log.roll(nowNs, compaction.segmentMs);
    this.log.append(batch, nowNs);
  }

  #hasEnoughReplicas(): boolean {
    return this.#state.inSync.length >= this.#state.config.minInSync;
  }

  #acknowledgesAlone(): boolean {
    const { defects, hearsController } = this.#parts;
    if (defects.has('ack-before-replication')) return true;
    return defects.has('stale-leader-acknowledges') && !hearsController();
  }

  /** Appends, or finds that it was appended before; `required` is the watermark at which it is on all in sync. */
  #place(
    batch: RecordBatch,
  ): { readonly baseOffset: number; readonly required: number } | { readonly error: string } {
    const { process, defects } = this.#parts;
    const isJudged = batch.producerId >= 0 && !defects.has('no-sequence-check');
    const verdict = isJudged ? this.log.producers.judge(batch) : null;
    if (verdict?.kind === 'refused') return { error: verdict.error };
    if (verdict?.kind === 'duplicate') {
      return { baseOffset: verdict.baseOffset, required: verdict.lastOffset + 1 };
    }
    const baseOffset = this.log.end;
    const placed = placedAt(batch, baseOffset, this.#state.leaderEpoch, defects);
    this.#append(placed, process.kernel.nowNs);
    this.#advance();
    this.#tellWaiters();
    return { baseOffset, required: placed.lastOffset + 1 };
  }

  #lead(): void {
    const { process, defects } = this.#parts;
    const { nowNs } = process.kernel;
    this.#waiting.failAll('NOT_LEADER_OR_FOLLOWER');
    this.#role = 'leader';
    this.#ledSinceNs = nowNs;
    this.#proposed = null;
    if (defects.has('truncate-to-watermark')) this.#truncateTo(this.#highWatermark);
    if (defects.has('offset-reuse')) this.#truncateTo(this.log.batches.at(-1)?.baseOffset ?? 0);
    if (defects.has('forget-producers-on-election')) this.log.producers.forget();
    this.log.beginEpoch(this.#state.leaderEpoch);
    this.#epochStart = this.log.end;
    const others = this.#state.replicas.filter((id) => id !== process.id);
    const endFetches = this.#followers.replace(others, this.log.end, nowNs);
    this.#advance();
    endFetches();
    this.#tellWaiters();
  }

  #follow(role: 'follower' | 'none'): void {
    this.#role = role;
    this.#proposed = null;
    const endFetches = this.#followers.replace([], 0, 0);
    this.#waiting.failAll('NOT_LEADER_OR_FOLLOWER');
    if (this.#parts.defects.has('truncate-to-watermark')) this.#truncateTo(this.#highWatermark);
    endFetches();
    this.#tellWaiters();
  }

  #truncateTo(end: number): void {
    this.log.truncateTo(end);
    this.#highWatermark = Math.min(this.#highWatermark, this.log.end);
  }

  /** A follower that holds what is committed may enter the in-sync set. */
  #mayEnter({ id, end }: Follower): void {
    if (this.#proposed !== null || this.#state.inSync.includes(id)) return;
    const hasCaughtUp = end >= this.#highWatermark && end >= this.#epochStart;
    if (!hasCaughtUp || !this.#parts.isLive(id)) return;
    this.#propose([...this.#state.inSync, id]);
  }

  #propose(inSync: readonly NodeId[]): void {
    const { process, alterInSync } = this.#parts;
    const proposed = inSync;
    this.#proposed = proposed;
    const again = (): void => {
      if (this.#proposed !== proposed || this.#role !== 'leader') return;
      alterInSync(this.#state, inSync, (error) => {
        if (this.#proposed !== proposed) return;
        // Granted: the change comes with the metadata log. Only these two say that it never will; after any other answer
        // an earlier attempt may have been granted, so the watermark goes on counting what was proposed.
        if (error === 'NONE') return;
        if (error === 'INELIGIBLE_REPLICA' || error === 'UNKNOWN_TOPIC_OR_PARTITION') {
          this.#proposed = null;
        } else process.after(proposeAgainMs, again);
      });
    };
    again();
  }

  /**
   * Moves the watermark to what all replicas hold that are in sync, or may be by now; not at all while fewer are in sync
   * than min.insync.replicas asks for (Kafka since 3.7, KIP-966).
   */
  #advance(): void {
    if (this.#role !== 'leader' || !this.#hasEnoughReplicas()) return;
    this.#raiseTo(this.#heldByAll());
  }

  #heldByAll(): number {
    const { process, defects } = this.#parts;
    const { end } = this.log;
    if (defects.has('watermark-by-majority')) {
      const ends = [end, ...this.#followers.all.map((follower) => follower.end)];
      return ends.sort((a, b) => b - a)[Math.floor(ends.length / 2)] ?? end;
    }
    const ignoresSilent = defects.has('silent-followers-ignored');
    const heardSinceNs = process.kernel.nowNs - 1_000 * nsPerMs;
    let held = end;
    for (const follower of this.#followers.all) {
      const { id, fetchedNs } = follower;
      const counts = this.#state.inSync.includes(id) || this.#proposed?.includes(id);
      if (counts !== true) continue;
      if (ignoresSilent && fetchedNs < heardSinceNs) continue;
      held = Math.min(held, follower.end);
    }
    return held;
  }

  #raiseTo(watermark: number): void {
    if (watermark <= this.#highWatermark) return;
    this.#highWatermark = watermark;
    this.#waiting.answerUpTo(watermark);
    this.#tellWaiters();
  }

  /** Records may have come, or the watermark risen, or the leader changed. */
  #tellWaiters(): void {
    this.#followers.tellNews(this.log.end);
    if (this.#waiters.length === 0) return;
    // Those that are answered leave the list.
    for (const waiter of this.#waiters.filter((one) => one.isReady())) waiter.complete();
  }
}

/** The batch as it stands in the log. */
function placedAt(
  batch: RecordBatch,
  baseOffset: number,
  leaderEpoch: number,
  defects: ReadonlySet<string>,
): RecordBatch {
  let drafts = batch.records ?? [];
  if (defects.has('partial-batch')) drafts = drafts.slice(0, Math.max(1, drafts.length - 1));
  if (defects.has('batch-reversed')) drafts = drafts.toReversed();
  // Not by push: an array that grows has room for seventeen from its first element on, and logs keep millions of these.
  const records = drafts.map((draft, position) => recordAt(draft, baseOffset + position));
  return batchAt(batch, baseOffset, leaderEpoch, records);
}
