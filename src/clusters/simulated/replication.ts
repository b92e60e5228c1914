/** Followers fetch from leaders: one loop per leader, which asks for all logs that it leads; the leader answers when it has news. */
import type { RecordBatch } from '../../kafka-protocol/record-batch.ts';
import type { NodeId } from '../../spi/cluster.ts';
import type { Broker } from './broker.ts';
import type { FetchWait } from './followers.ts';
import type { Kernel, Scheduled } from './kernel.ts';
import type { LogKey } from './metadata-image.ts';
import type { LogEnd } from './replica-log.ts';
import type { Replica, ReplicaPosition } from './replica.ts';
import { brokerSettings } from './settings.ts';

export interface ReplicaFetch {
  readonly follower: NodeId;
  readonly logs: readonly ReplicaPosition[];
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
  readonly #loops = new Map<NodeId, FetchLoop>();

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** Leaders may have changed: every leader of a log that this broker follows gets its loop. */
  refresh(): void {
    for (const loop of this.#loops.values()) loop.replicas.length = 0;
    for (const replica of this.#broker.replicas.values()) {
      const { leader } = replica.state;
      if (leader < 0 || leader === this.#broker.id) continue;
      let loop = this.#loops.get(leader);
      if (loop === undefined) {
        loop = new FetchLoop(this.#broker, leader);
        this.#loops.set(leader, loop);
      }
      loop.replicas.push(replica);
    }
    for (const loop of this.#loops.values()) loop.begin();
  }
}

/** Copies from one leader, for as long as it leads anything that this broker follows. */
class FetchLoop {
  readonly replicas: Replica[] = [];
  readonly #broker: Broker;
  readonly #leader: NodeId;
  #running = false;

  constructor(broker: Broker, leader: NodeId) {
    this.#broker = broker;
    this.#leader = leader;
  }

  /** Does nothing while it runs. */
  begin(): void {
    if (this.#running) return;
    this.#running = true;
    this.#fetch();
  }

  readonly #fetch = (): void => {
    if (this.replicas.length === 0) {
      this.#running = false;
      return;
    }
    const request: ReplicaFetch = {
      follower: this.#broker.id,
      logs: this.replicas.map(positionOf),
    };
    const timeoutMs = brokerSettings.replicaFetchWaitMs + fetchSlackMs;
    this.#broker.parts.peers.call(this.#leader, 'replication', request, timeoutMs, this.#answered);
  };

  readonly #answered = (response: unknown): void => {
    const answers = response as readonly ReplicaAnswer[] | null;
    if (answers !== null && this.#take(answers)) this.#fetch();
    else this.#broker.parts.process.after(backOffMs, this.#fetch);
  };

  /** @returns false if the leader refused some log: asking again at once would spin. */
  #take(answers: readonly ReplicaAnswer[]): boolean {
    let isWell = true;
    for (const answer of answers) {
      const replica = this.#broker.replicas.get(answer.log);
      if (replica === undefined) continue;
      const { state } = replica;
      // What was asked of an earlier leader, or in an earlier epoch, says nothing now.
      if (state.leader !== this.#leader || state.leaderEpoch !== answer.leaderEpoch) continue;
      if (answer.error !== 'NONE') isWell = false;
      else if (answer.diverging !== null) replica.cutOff(answer.diverging);
      else replica.replicate(answer.batches, answer.highWatermark);
    }
    return isWell;
  }
}

function positionOf(replica: Replica): ReplicaPosition {
  return replica.position();
}

/** As leader: answers a follower's fetch, waiting for news at most the agreed time. */
export function answerFetch(
  broker: Broker,
  request: ReplicaFetch,
  respond: (response: unknown) => void,
): void {
  const { process } = broker.parts;
  const { follower, logs } = request;
  let diverging: Map<LogKey, LogEnd> | null = null;
  let hasNews = false;
  for (const position of logs) {
    const replica = broker.replicas.get(position.log);
    if (replica === undefined || refusalOf(replica, position) !== null) {
      hasNews = true;
      continue;
    }
    const parting = replica.fetchedBy(follower, position.offset, position.lastEpoch);
    if (parting !== null) (diverging ??= new Map()).set(position.log, parting);
    hasNews ||= parting !== null || replica.log.end > position.offset;
  }
  if (hasNews) {
    respond(newsOf(broker, logs, diverging));
    return;
  }
  const wait = new FetchCompletion(process.kernel, () => {
    respond(newsOf(broker, logs, null));
  });
  for (const { log } of logs) broker.replicas.get(log)?.letWait(follower, wait);
  wait.endBy(process.after(brokerSettings.replicaFetchWaitMs, wait.complete));
}

/** Whatever comes first, news or the end of the wait: the answer is given once. */
export class FetchCompletion implements FetchWait {
  readonly #kernel: Kernel;
  readonly #answer: () => void;
  #over = false;
  #timer: Scheduled | null = null;

  constructor(kernel: Kernel, answer: () => void) {
    this.#kernel = kernel;
    this.#answer = answer;
  }

  /** The end of the wait, which goes when there is news. */
  endBy(timer: Scheduled): void {
    this.#timer = timer;
  }

  readonly complete = (): void => {
    if (this.#over) return;
    this.#over = true;
    if (this.#timer !== null) this.#kernel.cancel(this.#timer);
    this.#answer();
  };
}

/** The answers for those logs that have anything to tell the follower: as with Kafka's fetch sessions, no news is none. */
function newsOf(
  broker: Broker,
  logs: readonly ReplicaPosition[],
  diverging: ReadonlyMap<LogKey, LogEnd> | null,
): readonly ReplicaAnswer[] {
  const news: ReplicaAnswer[] = [];
  for (const position of logs) {
    const { log, leaderEpoch, offset } = position;
    const replica = broker.replicas.get(log);
    const refusal = refusalOf(replica, position);
    if (replica === undefined || refusal !== null) {
      const error = refusal ?? 'NONE';
      news.push({ log, leaderEpoch, error, highWatermark: 0, diverging: null, batches: [] });
      continue;
    }
    const { highWatermark } = replica;
    const parting = diverging?.get(log) ?? null;
    if (parting === null && replica.log.end <= offset && highWatermark === position.highWatermark) {
      continue;
    }
    const batches = parting === null ? replica.log.read(offset, Infinity, bytesMax) : [];
    news.push({ log, leaderEpoch, error: 'NONE', highWatermark, diverging: parting, batches });
  }
  return news;
}

function refusalOf(replica: Replica | undefined, position: ReplicaPosition): string | null {
  if (replica?.leads !== true) return 'NOT_LEADER_OR_FOLLOWER';
  const { leaderEpoch } = replica.state;
  if (position.leaderEpoch < leaderEpoch) return 'FENCED_LEADER_EPOCH';
  return position.leaderEpoch > leaderEpoch ? 'UNKNOWN_LEADER_EPOCH' : null;
}
