/**
 * The modelled member of a consumer group: Kafka's classic protocol, eager. It gives up all that it has when the group rebalances,
 * begins where the group has committed, and beats in the background; polls are those of an assigned reader. It runs in a process of
 * its own, which can be frozen.
 */
import type { Clock } from '../../core/clock.ts';
import { nsPerMs } from '../../core/units.ts';
import type { LogName, RecordSeen } from '../../history/event.ts';
import { logName, parseLogName } from '../../history/log-name.ts';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type AssignedTopics,
} from '../../kafka-protocol/consumer-protocol.ts';
import { errorCodeOf } from '../../kafka-protocol/error-codes.ts';
import { heartbeat } from '../../kafka-protocol/messages/heartbeat.ts';
import { joinGroup, type JoinGroupResponse } from '../../kafka-protocol/messages/join-group.ts';
import { leaveGroup } from '../../kafka-protocol/messages/leave-group.ts';
import { latestOffset, listOffsets } from '../../kafka-protocol/messages/list-offsets.ts';
import { offsetCommit } from '../../kafka-protocol/messages/offset-commit.ts';
import { noCommittedOffset, offsetFetch } from '../../kafka-protocol/messages/offset-fetch.ts';
import type { BrokerLink } from '../../kafka-protocol/link.ts';
import { syncGroup } from '../../kafka-protocol/messages/sync-group.ts';
import type {
  GroupOffsets,
  MemberClient,
  MemberFactory,
  MemberIdentity,
  Outcome,
  PollResult,
  ReaderClient,
  ReaderFactory,
  RebalanceTold,
} from '../../spi/client.ts';
import type { NodeInfo } from '../../spi/cluster.ts';
import type { ClientProcess } from '../../spi/simulation.ts';
import { Coordinator, type Refused } from './coordinator.ts';
import type { MemberDefect } from './defects.ts';
import { createLinks, type Links } from './links.ts';
import { createPicture, type Picture } from './metadata.ts';
import { memberOutcomeOf } from './member-outcomes.ts';

const timings = {
  sessionTimeoutMs: 6_000,
  rebalanceTimeoutMs: 6_000,
  heartbeatIntervalMs: 500,
  requestTimeoutMs: 3_000,
  /** Of requests that wait for the other members, beyond the rebalance timeout. */
  slackMs: 2_000,
  commitTimeoutMs: 6_000,
  /** Between two attempts to join, or to learn where to begin. */
  retryMs: 200,
  /** A poll that finds nothing assigned returns after this. */
  idleMs: 200,
} as const;

export interface SimulatedMemberOptions {
  readonly clock: Clock;
  readonly nodes: readonly NodeInfo[];
  readonly link: (node: NodeInfo, clientId: string) => BrokerLink;
  readonly readers: ReaderFactory;
  readonly process: (name: string) => ClientProcess;
  /** Where to begin when nothing is committed. */
  readonly fromBeginning: boolean;
  readonly defects: ReadonlySet<string>;
}

export function createSimulatedMemberFactory(options: SimulatedMemberOptions): MemberFactory {
  const members = new Set<SimulatedMember>();
  let created = 0;
  return {
    create: async (name, group, told) => {
      const reader = await options.readers.create(name, 'read_committed');
      const member = new SimulatedMember(options, { name, group, told, reader, first: created });
      created += 1;
      members.add(member);
      return member;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...members].map((member) => member[Symbol.asyncDispose]()));
    },
  };
}

interface MemberParts {
  readonly name: string;
  readonly group: string;
  readonly told: (rebalance: RebalanceTold) => void;
  readonly reader: ReaderClient;
  /** Which of the nodes it asks first. */
  readonly first: number;
}

class SimulatedMember implements MemberClient {
  readonly #options: SimulatedMemberOptions;
  readonly #parts: MemberParts;
  readonly #process: ClientProcess;
  readonly #links: Links;
  readonly #coordinator: Coordinator;
  readonly #picture: Picture;
  #topics: readonly string[] = [];
  #memberId = '';
  #generation = -1;
  #owned: readonly LogName[] = [];
  /** Counts assignments and their ends: what was begun under another one is over. */
  #turn = 0;
  #ready = false;
  #ended = false;
  /** Defects only: where the last poll of each log ended, and what was fetched ahead. */
  readonly #positions = new Map<LogName, number>();
  #ahead: PollResult | null = null;

  constructor(options: SimulatedMemberOptions, parts: MemberParts) {
    this.#options = options;
    this.#parts = parts;
    this.#process = options.process(parts.name);
    this.#links = createLinks(options.nodes, (node) => options.link(node, parts.name));
    this.#coordinator = new Coordinator(this.#links, parts.group, this.#process, parts.first);
    this.#picture = createPicture(this.#links, options.clock, parts.first);
  }

  subscribe(topics: readonly string[]): Promise<Outcome<null>> {
    this.#topics = topics;
    void this.#live();
    return Promise.resolve({ type: 'ok', value: null });
  }

  async poll(): Promise<Outcome<PollResult>> {
    await this.#process.pass();
    const turn = this.#turn;
    if (!this.#ready) {
      await this.#sleep(timings.idleMs);
      return { type: 'ok', value: {} };
    }
    const ahead = this.#ahead;
    this.#ahead = null;
    const outcome: Outcome<PollResult> =
      ahead === null ? await this.#parts.reader.poll() : { type: 'ok', value: ahead };
    await this.#process.pass();
    // What was read under an assignment that is over must not mix with what comes.
    if (turn !== this.#turn) return { type: 'ok', value: {} };
    if (outcome.type === 'ok') this.#remember(outcome.value);
    return outcome;
  }

  identity(): MemberIdentity {
    return this.#generation < 0 ? {} : { generation: this.#generation, member: this.#memberId };
  }

  async commit(offsets: GroupOffsets): Promise<Outcome<MemberIdentity>> {
    const identity = this.identity();
    const next = this.#has('commits-ahead') ? await this.#fetchedAhead(offsets) : offsets;
    const request = {
      groupId: this.#parts.group,
      generationId: this.#generation,
      memberId: this.#memberId,
      topics: byTopic(Object.entries(next)).map(([name, partitions]) => ({
        name,
        partitions: partitions.map(([partition, offset]) => ({
          partition,
          offset,
          metadata: null,
        })),
      })),
    };
    const answer = await this.#coordinator.ask(
      offsetCommit,
      request,
      timings.commitTimeoutMs,
      ({ topics }) =>
        topics.flatMap(({ partitions }) => partitions).find(({ errorCode }) => errorCode !== 0)
          ?.errorCode ?? 0,
    );
    if (answer.type === 'answered') return { type: 'ok', value: identity };
    return refusedOutcome(answer, 'OffsetCommit');
  }

  async committed(logs: readonly LogName[]): Promise<Outcome<GroupOffsets>> {
    const answer = await this.#askCommitted(logs);
    return 'type' in answer
      ? { type: 'fail', error: errorOf(answer, 'OffsetFetch') }
      : { type: 'ok', value: Object.fromEntries(answer) };
  }

  async close(): Promise<Outcome<null>> {
    await this.#process.pass();
    this.#giveUp('revoked');
    this.#ended = true;
    const request = { groupId: this.#parts.group, memberId: this.#memberId };
    const answer = await this.#coordinator.ask(
      leaveGroup,
      request,
      timings.requestTimeoutMs,
      ({ errorCode }) => errorCode,
    );
    // A group that does not know it any more has nothing against its going.
    if (answer.type === 'answered' || answer.code === 'UNKNOWN_MEMBER_ID') {
      return { type: 'ok', value: null };
    }
    return { type: 'info', error: errorOf(answer, 'LeaveGroup') };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    this.#process.end();
    await this.#links.close();
    await this.#parts.reader[Symbol.asyncDispose]();
  }

  #has(defect: MemberDefect): boolean {
    return this.#options.defects.has(defect);
  }

  async #sleep(ms: number): Promise<void> {
    await this.#options.clock.sleep(ms);
    await this.#process.pass();
  }

  /** Joins, stays until the group rebalances or gives it up, and joins again. */
  async #live(): Promise<void> {
    while (!this.#ended) {
      if (await this.#join()) await this.#stay();
      else await this.#sleep(timings.retryMs);
    }
  }

  async #join(): Promise<boolean> {
    const { group } = this.#parts;
    const joined = await this.#coordinator.ask(
      joinGroup,
      {
        groupId: group,
        sessionTimeoutMs: timings.sessionTimeoutMs,
        rebalanceTimeoutMs: timings.rebalanceTimeoutMs,
        memberId: this.#memberId,
        groupInstanceId: null,
        protocolType: 'consumer',
        protocols: [{ name: 'turning', metadata: encodeSubscription(this.#topics) }],
      },
      timings.rebalanceTimeoutMs + timings.slackMs,
      // This one is an answer: it carries the id.
      ({ errorCode }) => (errorCode === idRequired ? 0 : errorCode),
    );
    if (this.#ended) return false;
    if (joined.type === 'refused') {
      if (joined.code === 'UNKNOWN_MEMBER_ID') this.#memberId = '';
      return false;
    }
    this.#memberId = joined.value.memberId;
    if (joined.value.errorCode === idRequired) return this.#join();
    return this.#sync(joined.value);
  }

  async #sync(joined: JoinGroupResponse): Promise<boolean> {
    const assignments = joined.leader === this.#memberId ? await this.#assign(joined) : [];
    if (assignments === null) return false;
    const synced = await this.#coordinator.ask(
      syncGroup,
      {
        groupId: this.#parts.group,
        generationId: joined.generationId,
        memberId: this.#memberId,
        groupInstanceId: null,
        assignments,
      },
      timings.rebalanceTimeoutMs + timings.slackMs,
      ({ errorCode }) => errorCode,
    );
    if (this.#ended) return false;
    if (synced.type === 'refused') {
      if (synced.code === 'UNKNOWN_MEMBER_ID') this.#memberId = '';
      return false;
    }
    this.#take(joined.generationId, decodeAssignment(synced.value.assignment));
    return true;
  }

  #take(generation: number, topics: AssignedTopics): void {
    const assigned = topics.flatMap(({ name, partitions }) =>
      partitions.map((partition) => logName(name, partition)),
    );
    this.#generation = generation;
    this.#owned = assigned;
    this.#turn += 1;
    this.#parts.told({ ...this.identity(), assigned, revoked: [], lost: [] });
  }

  /** As the leader of a generation. Partitions turn from one to the next, so that they change hands. Null: topics are not known. */
  async #assign({ members, generationId }: JoinGroupResponse) {
    if (!this.#picture.known) await this.#picture.refresh();
    await this.#process.pass();
    const ids = members.map(({ memberId }) => memberId).sort();
    const wanted = new Set(
      members.flatMap(({ metadata }) => (metadata === null ? [] : decodeSubscription(metadata))),
    );
    const given = new Map<string, [LogName, null][]>(ids.map((id) => [id, []]));
    let turn = generationId;
    for (const topic of [...wanted].sort()) {
      const count = this.#picture.partitionsOf(topic);
      if (count === 0) {
        await this.#picture.refresh();
        return null;
      }
      for (let partition = 0; partition < count; partition++) {
        given.get(ids[turn % ids.length] ?? '')?.push([logName(topic, partition), null]);
        turn += 1;
      }
    }
    return [...given].map(([memberId, logs]) => ({
      memberId,
      assignment: encodeAssignment(
        byTopic(logs).map(([name, partitions]) => ({
          name,
          partitions: partitions.map(([partition]) => partition),
        })),
      ),
    }));
  }

  /** Beats until the generation is over. */
  async #stay(): Promise<void> {
    const { clock } = this.#options;
    const turn = this.#turn;
    void this.#begin(turn);
    let heardNs = clock.nowNs();
    while (!this.#ended && turn === this.#turn) {
      await this.#sleep(timings.heartbeatIntervalMs);
      if (this.#isOver(turn)) return;
      const { group: groupId } = this.#parts;
      const { requestTimeoutMs } = timings;
      const beat = { groupId, memberId: this.#memberId, groupInstanceId: null };
      const request = { ...beat, generationId: this.#generation };
      const answer = await this.#coordinator.ask(
        heartbeat,
        request,
        requestTimeoutMs,
        ({ errorCode }) => errorCode,
      );
      if (this.#isOver(turn)) return;
      if (answer.type === 'answered') heardNs = clock.nowNs();
      else if (answer.code === 'REBALANCE_IN_PROGRESS') this.#giveUp('revoked');
      else if (answer.code === 'UNKNOWN_MEMBER_ID' || answer.code === 'ILLEGAL_GENERATION') {
        this.#giveUp('lost');
        this.#memberId = '';
      } else if (clock.nowNs() - heardNs > timings.sessionTimeoutMs * nsPerMs) this.#giveUp('lost');
    }
  }

  #isOver(turn: number): boolean {
    return this.#ended || turn !== this.#turn;
  }

  #giveUp(how: 'revoked' | 'lost'): void {
    const had = this.#owned;
    const identity = this.identity();
    this.#owned = [];
    this.#generation = -1;
    this.#turn += 1;
    this.#ready = false;
    this.#ahead = null;
    if (had.length === 0) return;
    const none = { assigned: [], revoked: [], lost: [] };
    this.#parts.told({ ...identity, ...none, [how]: had });
  }

  /** Learns where to begin, and lets polls begin there. */
  async #begin(turn: number): Promise<void> {
    const logs = this.#owned;
    while (!this.#isOver(turn) && logs.length > 0) {
      const known = await this.#askCommitted(logs);
      const places = 'type' in known ? null : await this.#places(logs, known);
      if (this.#isOver(turn)) return;
      if (places !== null) {
        await this.#parts.reader.assign(logs, places);
        if (!this.#isOver(turn)) this.#ready = true;
        return;
      }
      await this.#sleep(timings.retryMs);
    }
  }

  /** Null: the end of a log is asked for, and nobody tells it. */
  async #places(
    logs: readonly LogName[],
    known: ReadonlyMap<LogName, number>,
  ): Promise<Record<LogName, number> | null> {
    const places: Record<LogName, number> = {};
    for (const log of logs) {
      const remembered = this.#has('keeps-position') ? this.#positions.get(log) : undefined;
      const committed = remembered ?? known.get(log);
      if (committed !== undefined) {
        places[log] = committed + (this.#has('begins-one-late') && committed > 0 ? 1 : 0);
      } else if (this.#options.fromBeginning) places[log] = 0;
      else {
        const end = await this.#endOf(log);
        if (end === null) return null;
        places[log] = end;
      }
    }
    return places;
  }

  async #askCommitted(logs: readonly LogName[]): Promise<ReadonlyMap<LogName, number> | Refused> {
    const topics = byTopic(logs.map((log) => [log, null])).map(([name, partitions]) => ({
      name,
      partitions: partitions.map(([partition]) => partition),
    }));
    const answer = await this.#coordinator.ask(
      offsetFetch,
      { groupId: this.#parts.group, topics },
      timings.requestTimeoutMs,
      ({ errorCode }) => errorCode,
    );
    if (answer.type === 'refused') return answer;
    const offsets = new Map<LogName, number>();
    for (const { name, partitions } of answer.value.topics) {
      for (const { partition, offset } of partitions) {
        if (offset !== noCommittedOffset) offsets.set(logName(name, partition), offset);
      }
    }
    return offsets;
  }

  /** Of whichever node says that it leads the log. */
  async #endOf(log: LogName): Promise<number | null> {
    const { topic: name, partition } = placeOf(log);
    for (const node of this.#links.ids) {
      const question = { partition, currentLeaderEpoch: -1, timestamp: latestOffset };
      const request = {
        replicaId: -1,
        isolationLevel: 1,
        topics: [{ name, partitions: [question] }],
      };
      const answer = await this.#links.call(node, listOffsets, request, timings.requestTimeoutMs);
      await this.#process.pass();
      const told = answer.status === 'ok' ? answer.value.topics[0]?.partitions[0] : undefined;
      if (told?.errorCode === 0) return told.offset;
    }
    return null;
  }

  #remember(result: PollResult): void {
    if (!this.#has('keeps-position')) return;
    for (const [log, records] of Object.entries(result)) {
      const last = records.at(-1);
      if (last !== undefined) this.#positions.set(log, last[0] + 1);
    }
  }

  /** The offsets with those of what is fetched now, and handed out by the next poll, in their place. */
  async #fetchedAhead(offsets: GroupOffsets): Promise<GroupOffsets> {
    const turn = this.#turn;
    const outcome = await this.#parts.reader.poll();
    if (outcome.type !== 'ok' || turn !== this.#turn) return offsets;
    const merged: Record<LogName, readonly RecordSeen[]> = { ...this.#ahead };
    const next: Record<LogName, number> = { ...offsets };
    for (const [log, records] of Object.entries(outcome.value)) {
      merged[log] = [...(merged[log] ?? []), ...records];
      const last = records.at(-1);
      if (last !== undefined) next[log] = last[0] + 1;
    }
    this.#ahead = merged;
    return next;
  }
}

const idRequired = errorCodeOf('MEMBER_ID_REQUIRED');

function refusedOutcome(refused: Refused, what: string): Outcome<never> {
  return { type: memberOutcomeOf(refused.code, refused.sent), error: errorOf(refused, what) };
}

function errorOf({ code, sent }: Refused, what: string) {
  return { code, message: `${what}: ${sent ? 'asked once' : 'not sent'}` };
}

function placeOf(log: LogName): { readonly topic: string; readonly partition: number } {
  const place = parseLogName(log);
  if (place === null || place.partition === null) throw new Error(`"${log}" is no log`);
  return { topic: place.topic, partition: place.partition };
}

/** By topic: partitions, each with what belongs to it. */
function byTopic<T>(
  logs: readonly (readonly [LogName, T])[],
): readonly (readonly [
  topic: string,
  partitions: readonly (readonly [partition: number, of: T])[],
])[] {
  const topics = new Map<string, (readonly [number, T])[]>();
  for (const [log, of] of logs) {
    const { topic, partition } = placeOf(log);
    const known = topics.get(topic);
    if (known === undefined) topics.set(topic, [[partition, of]]);
    else known.push([partition, of]);
  }
  return [...topics];
}
