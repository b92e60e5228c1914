/**
 * Brings batches to their leaders. Each log has a queue, and one batch of it is under way until it has its final result,
 * so that sends that are open at once keep their order. A batch takes its sequence when it is first sent and keeps it;
 * every retry sends the same request.
 */
import type { Clock } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';
import type { LogName, OperationError } from '../../history/event.ts';
import { logName } from '../../history/log-name.ts';
import { errorName } from '../../kafka-protocol/error-codes.ts';
import type { CallResult } from '../../kafka-protocol/connection.ts';
import { produce, type ProduceResponse } from '../../kafka-protocol/messages/produce.ts';
import type { ProducerSettings } from '../../spi/client.ts';
import type { NodeId } from '../../spi/cluster.ts';
import { type Batch, requestOf } from './batches.ts';
import type { ProducerDefect } from './defects.ts';
import type { Links } from './links.ts';
import type { Picture } from './metadata.ts';
import { codeOfFailure, isRetried, sendOutcomeOf } from './outcomes.ts';
import { type Identities, takeStamp } from './sequences.ts';
import { exchangeKeys, withForeignRecord } from './wrong-batches.ts';

const backoffMsMin = 100;
const backoffMsMax = 1_000;
/** One batch in so many has two keys exchanged, if that defect is on. */
const swapsOneIn = 50;

export interface DeliveryParts {
  readonly links: Links;
  readonly picture: Picture;
  readonly identities: Identities;
  readonly settings: ProducerSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly has: (defect: ProducerDefect) => boolean;
}

/** The batches of one log that wait for their turn. */
class Lane {
  readonly queue: Batch[] = [];
  /** One of its batches is under way. */
  busy = false;
  /** It is being worked on just now: a batch that is over at once does not begin the next one. */
  working = false;
  newest: Batch;
  /** Told when the batch under way is over. */
  readonly over: () => void;

  constructor(first: Batch, work: (lane: Lane) => void) {
    this.newest = first;
    this.over = () => {
      this.busy = false;
      work(this);
    };
  }
}

const nobodyWaits = (): void => undefined;

export class Delivery {
  readonly #parts: DeliveryParts;
  readonly #lanes = new Map<LogName, Lane>();
  readonly #ordered: boolean;
  #stopped = false;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    this.#ordered = !parts.has('concurrent-sends') && !parts.has('unordered-retries');
  }

  add(batch: Batch): void {
    const lane = this.#laneFor(batch);
    if (!this.#ordered) {
      this.#deliver(batch, nobodyWaits);
      return;
    }
    lane.queue.push(batch);
    this.#work(lane);
  }

  /** Ends a batch that waits; one that is under way ends with its attempt. */
  giveUp(batch: Batch, error: OperationError): void {
    if (batch.result !== null || batch.underWay) return;
    this.#fail(batch, error);
    batch.wake?.();
  }

  /** From here on no attempt is made. */
  stop(): void {
    this.#stopped = true;
  }

  #laneFor(batch: Batch): Lane {
    let lane = this.#lanes.get(batch.log);
    if (lane === undefined) {
      lane = new Lane(batch, (free) => {
        this.#work(free);
      });
      this.#lanes.set(batch.log, lane);
    }
    lane.newest = batch;
    return lane;
  }

  #work(lane: Lane): void {
    if (lane.working) return;
    lane.working = true;
    while (!lane.busy) {
      const batch = lane.queue.shift();
      if (batch === undefined) break;
      lane.busy = true;
      this.#deliver(batch, lane.over);
    }
    lane.working = false;
  }

  /**
   * Most batches need one attempt and nothing before it, so that way is made of callbacks: an async function for each
   * would cost as much as all the rest of the client.
   * @param over called once when the batch has its result, or goes on in another lane.
   */
  #deliver(batch: Batch, over: () => void): void {
    const { picture } = this.#parts;
    if (batch.result !== null) {
      over();
      return;
    }
    if (picture.stale || this.#needsIdentity(batch)) {
      void this.#prepare(batch).then((error) => {
        if (error === null || isFinished(batch)) this.#attempt(batch, over);
        else void this.#retry(batch, error, over);
      });
      return;
    }
    picture.refreshIfOld();
    this.#attempt(batch, over);
  }

  #needsIdentity(batch: Batch): boolean {
    const { settings, identities } = this.#parts;
    return settings.idempotent && batch.stamp === null && identities.current() === null;
  }

  /** Gets what an attempt needs to know. */
  async #prepare(batch: Batch): Promise<OperationError | null> {
    const { picture, identities } = this.#parts;
    if (picture.stale) await picture.refresh();
    if (isFinished(batch) || !this.#needsIdentity(batch)) return null;
    await identities.renew();
    if (isFinished(batch) || identities.current() !== null) return null;
    return { code: 'NO_PRODUCER_ID', message: 'no node gave a producer id' };
  }

  #attempt(batch: Batch, over: () => void): void {
    if (batch.result !== null) {
      over();
      return;
    }
    const { links, picture, settings } = this.#parts;
    const node = picture.leaderOf(batch.log);
    if (node < 0) {
      const error = { code: 'LEADER_NOT_AVAILABLE', message: `${batch.log} has no leader` };
      void this.#retry(batch, error, over);
      return;
    }
    if (this.#countsAsAcknowledged(batch, node)) {
      this.#acknowledge(batch, null);
      over();
      return;
    }
    if (batch.failures > 0) this.#spoilRetry(batch);
    // A retry that lost its identity gets another first.
    if (this.#needsIdentity(batch)) {
      this.#deliver(batch, over);
      return;
    }
    this.#stamp(batch);
    const request = (batch.request ??= this.#newRequest(batch));
    batch.lastNode = node;
    const answer = links.call(node, produce, request, settings.requestTimeoutMs);
    if (settings.acks === 0) {
      batch.attempts += 1;
      this.#acknowledge(batch, null);
      over();
      return;
    }
    batch.underWay = true;
    void answer.then((result) => {
      batch.underWay = false;
      const error = this.#judge(batch, node, result);
      if (error === null || isFinished(batch)) over();
      else void this.#retry(batch, error, over);
    });
  }

  #stamp(batch: Batch): void {
    const { settings, identities } = this.#parts;
    const identity = identities.current();
    if (!settings.idempotent || batch.stamp !== null || identity === null) return;
    batch.stamp = takeStamp(identity, batch.log, batch.drafts.length);
  }

  /** Null: the batch has its result. */
  #judge(batch: Batch, node: NodeId, result: CallResult<ProduceResponse>): OperationError | null {
    if (result.status !== 'refused') batch.attempts += 1;
    if (result.status === 'ok') return this.#take(batch, node, result.value);
    if (result.status === 'timeout') {
      batch.timedOut = true;
      if (this.#parts.has('success-on-timeout')) {
        this.#acknowledge(batch, null);
        return null;
      }
    }
    return { code: codeOfFailure(result.status), message: result.message };
  }

  /** After a failed attempt: gives up, or waits and tries again. */
  async #retry(batch: Batch, error: OperationError, over: () => void): Promise<void> {
    const { picture, settings, clock } = this.#parts;
    picture.markStale();
    batch.failures += 1;
    const isLast =
      this.#stopped ||
      !isRetried(error.code) ||
      batch.failures > settings.retriesMax ||
      clock.nowNs() >= batch.owner.deadlineNs;
    if (this.#parts.has('concurrent-sends')) takeBack(batch);
    if (isLast) {
      this.#fail(batch, error);
      over();
      return;
    }
    await this.#pause(batch);
    if (this.#parts.has('keyless-retry') && this.#moves(batch)) over();
    else this.#deliver(batch, over);
  }

  #take(batch: Batch, node: NodeId, response: ProduceResponse): OperationError | null {
    const answer = response.topics
      .find(({ name }) => name === batch.topic)
      ?.partitions.find(({ partition }) => partition === batch.partition);
    if (answer === undefined) {
      return { code: 'UNREADABLE', message: `node-${node} does not answer for ${batch.log}` };
    }
    if (answer.errorCode !== 0) {
      const code = errorName(answer.errorCode);
      return { code, message: `node-${node} refused a batch of ${batch.log}: ${code}` };
    }
    batch.owner.acknowledgedBy.push(node);
    this.#acknowledge(batch, answer.baseOffset < 0 ? null : answer.baseOffset);
    return null;
  }

  #newRequest(batch: Batch): NonNullable<Batch['request']> {
    const { settings, random, has } = this.#parts;
    if (has('key-swap') && (batch.failures > 0 || random.chance(1, swapsOneIn))) {
      batch.drafts = exchangeKeys(batch.drafts);
    }
    if (has('batch-last-first')) {
      batch.drafts = batch.drafts.toReversed();
      batch.positions = batch.positions.toReversed();
    }
    return requestOf(batch, settings);
  }

  #acknowledge(batch: Batch, baseOffset: number | null): void {
    batch.result = { type: 'ok', baseOffset };
    batch.owner.finished();
  }

  #fail(batch: Batch, { code, message }: OperationError): void {
    const { attempts, stamp } = batch;
    const outcome = sendOutcomeOf(code, attempts);
    const text = `${message}; Produce requests that may have been written: ${attempts}`;
    batch.result = { type: outcome, error: { code, message: text } };
    if (stamp !== null) {
      // The real client does not wait to learn whether the broker holds that sequence.
      if (this.#parts.has('sequence-reuse')) stamp.identity.next.set(batch.log, stamp.sequence);
      else stamp.identity.spoiled = true;
    }
    batch.owner.finished();
  }

  /** Twice as long after each failure, a fifth more or less. */
  #pause(batch: Batch): Promise<void> {
    const { clock, random } = this.#parts;
    const doubled = backoffMsMin * 2 ** Math.min(batch.failures - 1, 10);
    const meanMs = Math.min(backoffMsMax, doubled);
    const jitterUs = random.between(-200 * meanMs, 200 * meanMs);
    return new Promise((resolve) => {
      const timer = clock.after(meanMs + jitterUs / 1_000, () => {
        batch.wake = null;
        resolve();
      });
      batch.wake = () => {
        timer.cancel();
        batch.wake = null;
        resolve();
      };
    });
  }

  /** The answers of a call are kept by broker, not by batch. */
  #countsAsAcknowledged(batch: Batch, node: NodeId): boolean {
    return (
      this.#parts.has('partial-acknowledgement') &&
      batch.failures > 0 &&
      batch.lastNode !== node &&
      batch.owner.acknowledgedBy.includes(node)
    );
  }

  /** What is wrong with the batch when it is sent again. */
  #spoilRetry(batch: Batch): void {
    const { has, random } = this.#parts;
    if (has('new-producer-id-on-retry') && batch.stamp !== null && batch.attempts > 0) {
      batch.stamp.identity.spoiled = true;
      batch.stamp = null;
      batch.request = null;
    }
    if (has('buffer-reuse') && batch.timedOut) {
      batch.timedOut = false;
      const others = [...this.#lanes].filter(([log]) => log !== batch.log);
      if (others.length > 0) {
        const [, lane] = random.pick(others);
        batch.drafts = withForeignRecord(batch.drafts, lane.newest.drafts);
        batch.request = null;
      }
    }
    if (has('key-swap') && batch.failures === 1) batch.request = null;
  }

  /** The partitioner is asked again; the batch goes on in the queue of the partition that it names now. */
  #moves(batch: Batch): boolean {
    const { picture, random } = this.#parts;
    const count = picture.partitionsOf(batch.topic);
    if (!batch.keyless || count < 2 || batch.result !== null) return false;
    const partition = random.below(count);
    if (partition === batch.partition) return false;
    batch.stamp?.identity.next.set(batch.log, batch.stamp.sequence);
    batch.stamp = null;
    batch.request = null;
    batch.partition = partition;
    batch.log = logName(batch.topic, partition);
    this.add(batch);
    return true;
  }
}

/** Read anew after each wait. */
function isFinished({ result }: Batch): boolean {
  return result !== null;
}

/** The sequences of a failed attempt go back to the counter, though later ones may be taken. */
function takeBack(batch: Batch): void {
  if (batch.stamp === null) return;
  const { identity } = batch.stamp;
  const next = (identity.next.get(batch.log) ?? 0) - batch.drafts.length;
  identity.next.set(batch.log, Math.max(0, next));
  batch.stamp = null;
  batch.request = null;
}
