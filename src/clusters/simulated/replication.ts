/** Followers fetch from leaders: one loop per leader, which asks for all logs that it leads; the leader answers when it has news. */
import type { RecordBatch } from '../../kafka-protocol/record-batch.ts';
import type { NodeId } from '../../spi/cluster.ts';
import type { Broker } from './broker.ts';
import type { Kernel, Scheduled } from './kernel.ts';
import type { LogKey } from './metadata-image.ts';
import type { LogEnd } from './replica-log.ts';
import type { FetchWaiter, Replica } from './replica.ts';
import { brokerSettings } from './settings.ts';

export interface ReplicaFetch {
  readonly follower: NodeId;
  readonly logs: readonly ReplicaPosition[];
}

interface ReplicaPosition {
  readonly log: LogKey;
  readonly leaderEpoch: number;
  readonly offset: number;
  readonly lastEpoch: number;
}

interface ReplicaAnswer {
  readonly log: LogKey;
  readonly leaderEpoch: number;
  readonly error: string;
  readonly highWatermark: number;
  readonly diverging: LogEnd | null;
  readonly batches: readonly RecordBatch[];
}

const fetchSlackMs = 1_500;
const backOffMs = 500;
const bytesMax = 1_048_576;

export class ReplicaFetchers {
  readonly #broker: Broker;
  /** Leaders that a loop is running for. */
  readonly #running = new Set<NodeId>();

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** Leaders may have changed: every leader of a log that this broker follows gets its loop. */
  refresh(): void {
    for (const replica of this.#broker.replicas.values()) {
      const { leader } = replica.state;
      if (leader >= 0 && leader !== this.#broker.id) this.#start(leader);
    }
  }

  #start(leader: NodeId): void {
    if (this.#running.has(leader)) return;
    this.#running.add(leader);
    this.#fetch(leader);
  }

  #fetch(leader: NodeId): void {
    const { process, peers } = this.#broker.parts;
    const logs: ReplicaPosition[] = [];
    for (const { key, state, log } of this.#broker.replicas.values()) {
      if (state.leader !== leader) continue;
      const { end: offset, lastEpoch } = log;
      logs.push({ log: key, leaderEpoch: state.leaderEpoch, offset, lastEpoch });
    }
    if (logs.length === 0) {
      this.#running.delete(leader);
      return;
    }
    const request: ReplicaFetch = { follower: this.#broker.id, logs };
    const timeoutMs = brokerSettings.replicaFetchWaitMs + fetchSlackMs;
    peers.call(leader, 'replication', request, timeoutMs, (response) => {
      const answers = response as readonly ReplicaAnswer[] | null;
      const isWell = answers !== null && this.#take(leader, answers);
      if (isWell) this.#fetch(leader);
      else {
        process.after(backOffMs, () => {
          this.#fetch(leader);
        });
      }
    });
  }

  /** @returns false if the leader refused some log: asking again at once would spin. */
  #take(leader: NodeId, answers: readonly ReplicaAnswer[]): boolean {
    let isWell = true;
    for (const answer of answers) {
      const replica = this.#broker.replicas.get(answer.log);
      if (replica === undefined) continue;
      const { state } = replica;
      // What was asked of an earlier leader, or in an earlier epoch, says nothing now.
      if (state.leader !== leader || state.leaderEpoch !== answer.leaderEpoch) continue;
      if (answer.error !== 'NONE') isWell = false;
      else if (answer.diverging !== null) replica.cutOff(answer.diverging);
      else replica.replicate(answer.batches, answer.highWatermark);
    }
    return isWell;
  }
}

/** As leader: answers a follower's fetch, waiting for news at most the agreed time. */
export function answerFetch(
  broker: Broker,
  request: ReplicaFetch,
  respond: (response: unknown) => void,
): void {
  const { process } = broker.parts;
  const answers = request.logs.map((position) => answerOne(broker, request.follower, position));
  const hasNews = answers.some(
    ({ error, diverging, batches }) => error !== 'NONE' || diverging !== null || batches.length > 0,
  );
  if (hasNews) {
    respond(answers);
    return;
  }
  const complete = onceOver(process.kernel, () => {
    respond(request.logs.map((position) => readOne(broker, position)));
  });
  for (const { log, offset, leaderEpoch } of request.logs) {
    const replica = broker.replicas.get(log);
    if (replica === undefined) continue;
    const waiter: FetchWaiter = {
      isReady: () =>
        replica.log.end > offset || !replica.leads || replica.state.leaderEpoch !== leaderEpoch,
      complete: complete.run,
    };
    complete.waiters.push([replica, waiter]);
    replica.wait(waiter);
  }
  complete.endBy(process.after(brokerSettings.replicaFetchWaitMs, complete.run));
}

interface Completion {
  readonly run: () => void;
  readonly waiters: (readonly [Replica, FetchWaiter])[];
  /** The end of the wait, which goes when there is news. */
  readonly endBy: (timer: Scheduled) => void;
}

/** Whatever comes first, news or the end of the wait: the answer is given once. */
export function onceOver(kernel: Kernel, answer: () => void): Completion {
  let over = false;
  let timer: Scheduled | null = null;
  const waiters: (readonly [Replica, FetchWaiter])[] = [];
  return {
    waiters,
    endBy: (end) => {
      timer = end;
    },
    run: () => {
      if (over) return;
      over = true;
      if (timer !== null) kernel.cancel(timer);
      for (const [replica, waiter] of waiters) replica.unwait(waiter);
      answer();
    },
  };
}

/** Takes note of what the follower holds, and reads. */
function answerOne(broker: Broker, follower: NodeId, position: ReplicaPosition): ReplicaAnswer {
  const replica = broker.replicas.get(position.log);
  const refusal = refusalOf(replica, position);
  if (replica === undefined || refusal !== null) return refused(position, refusal ?? 'NONE');
  const diverging = replica.fetchedBy(follower, position.offset, position.lastEpoch);
  if (diverging !== null) {
    return { ...refused(position, 'NONE'), diverging, highWatermark: replica.highWatermark };
  }
  return readOne(broker, position);
}

function readOne(broker: Broker, position: ReplicaPosition): ReplicaAnswer {
  const replica = broker.replicas.get(position.log);
  const refusal = refusalOf(replica, position);
  if (replica === undefined || refusal !== null) return refused(position, refusal ?? 'NONE');
  const { log, leaderEpoch, offset } = position;
  return {
    log,
    leaderEpoch,
    error: 'NONE',
    highWatermark: replica.highWatermark,
    diverging: null,
    batches: replica.log.read(offset, Infinity, bytesMax),
  };
}

function refusalOf(replica: Replica | undefined, position: ReplicaPosition): string | null {
  if (replica?.leads !== true) return 'NOT_LEADER_OR_FOLLOWER';
  const { leaderEpoch } = replica.state;
  if (position.leaderEpoch < leaderEpoch) return 'FENCED_LEADER_EPOCH';
  return position.leaderEpoch > leaderEpoch ? 'UNKNOWN_LEADER_EPOCH' : null;
}

function refused({ log, leaderEpoch }: ReplicaPosition, error: string): ReplicaAnswer {
  return { log, leaderEpoch, error, highWatermark: 0, diverging: null, batches: [] };
}
