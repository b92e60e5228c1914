/**
 * The group coordinator of one broker: it answers for all groups while this broker leads their log, from what the log said when it
 * took over. It serves nobody while it does not hear the controllers: another one may have been elected (Kafka's own has no
 * such lease; docs/fidelity.md).
 */
import type { LogName } from '../../history/event.ts';
import { logName } from '../../history/log-name.ts';
import { nsPerMs } from '../../core/units.ts';
import type { FindCoordinatorResponse } from '../../kafka-protocol/messages/find-coordinator.ts';
import type { HeartbeatRequest } from '../../kafka-protocol/messages/heartbeat.ts';
import type { JoinGroupRequest } from '../../kafka-protocol/messages/join-group.ts';
import type { LeaveGroupRequest } from '../../kafka-protocol/messages/leave-group.ts';
import type {
  OffsetCommitRequest,
  OffsetCommitResponse,
} from '../../kafka-protocol/messages/offset-commit.ts';
import {
  noCommittedOffset,
  type OffsetFetchRequest,
  type OffsetFetchResponse,
} from '../../kafka-protocol/messages/offset-fetch.ts';
import type { SyncGroupRequest } from '../../kafka-protocol/messages/sync-group.ts';
import { addressOf } from './addresses.ts';
import type { ApiCall } from './api-call.ts';
import type { Broker } from './broker.ts';
import { code } from './error-code.ts';
import { Group, joinRefusal, syncAnswer, type GroupHost } from './group.ts';
import { batchOf, groupLog, groupTopic, recordsOf, type GroupRecord } from './group-log.ts';
import type { Replica } from './replica.ts';

type Respond = (response: unknown) => void;

/** offsets.commit.timeout.ms */
const appendTimeoutMs = 5_000;
const createTimeoutMs = 2_500;

/** The requests that only the coordinator of a group answers. */
export const groupRequests: ReadonlySet<string> = new Set([
  'JoinGroup',
  'SyncGroup',
  'Heartbeat',
  'LeaveGroup',
  'OffsetCommit',
  'OffsetFetch',
]);

export class GroupCoordinator {
  readonly #broker: Broker;
  readonly #groups = new Map<string, Group>();
  /** The leader epoch in which the log was read; -1: not yet. */
  #loadedEpoch = -1;
  #memberIds = 0;
  readonly #host: GroupHost;

  constructor(broker: Broker) {
    this.#broker = broker;
    const { process, defects } = broker.parts;
    this.#host = {
      process,
      defects,
      append: (record, done) => {
        this.#append(record, done);
      },
      newMemberId: () => {
        this.#memberIds += 1;
        return `member-${broker.id}-${process.incarnation}-${this.#loadedEpoch}-${this.#memberIds}`;
      },
    };
  }

  /** The leadership of the log may have changed. */
  leadershipChanged(): void {
    const replica = this.#replica();
    if (replica?.leads === true && replica.state.leaderEpoch === this.#loadedEpoch) return;
    this.#forget();
  }

  handle({ api, request }: ApiCall, respond: Respond): void {
    const error = this.#ready();
    switch (api.name) {
      case 'JoinGroup':
        this.#join(error, request as JoinGroupRequest, respond);
        return;
      case 'SyncGroup':
        this.#sync(error, request as SyncGroupRequest, respond);
        return;
      case 'Heartbeat': {
        const { groupId } = request as HeartbeatRequest;
        const heard = (): string =>
          this.#groups.get(groupId)?.heartbeat(request as HeartbeatRequest) ?? 'UNKNOWN_MEMBER_ID';
        respond({ throttleTimeMs: 0, errorCode: code(error ?? heard()) });
        return;
      }
      case 'LeaveGroup': {
        const { groupId, memberId } = request as LeaveGroupRequest;
        const left = (): string =>
          this.#groups.get(groupId)?.leave(memberId) ?? 'UNKNOWN_MEMBER_ID';
        respond({ throttleTimeMs: 0, errorCode: code(error ?? left()) });
        return;
      }
      case 'OffsetCommit':
        this.#commit(error, request as OffsetCommitRequest, respond);
        return;
      default:
        respond(this.#fetchOffsets(error, request as OffsetFetchRequest));
    }
  }

  /** Null once it may answer. */
  #ready(): string | null {
    const replica = this.#replica();
    if (replica?.leads !== true || !this.#broker.hearsController) return 'NOT_COORDINATOR';
    if (replica.state.leaderEpoch === this.#loadedEpoch) return null;
    // What an older leader appended and nobody acknowledged may still go: it is not read before that is settled.
    if (!replica.knowsEnd) return 'COORDINATOR_LOAD_IN_PROGRESS';
    this.#load(replica);
    return null;
  }

  #load({ log, state }: Replica): void {
    this.#forget();
    this.#loadedEpoch = state.leaderEpoch;
    const { defects } = this.#broker.parts;
    const isFirst = state.leaderEpoch === 0;
    const bound = defects.has('offsets-load-short') && !isFirst ? log.checkpoint : log.end;
    for (const { offset, record } of recordsOf(log.batches)) {
      const forgotten = !isFirst && defects.has('offsets-forgotten');
      if (record.kind === 'offsets' && (forgotten || offset >= bound)) continue;
      this.#groupOf(record.group).replay(record);
    }
    for (const group of this.#groups.values()) group.begin();
  }

  #forget(): void {
    this.#loadedEpoch = -1;
    for (const group of this.#groups.values()) group.end('NOT_COORDINATOR');
    this.#groups.clear();
  }

  #replica(): Replica | undefined {
    return this.#broker.replicas.get(groupLog);
  }

  #groupOf(id: string): Group {
    let group = this.#groups.get(id);
    if (group === undefined) {
      group = new Group(id, this.#host);
      this.#groups.set(id, group);
    }
    return group;
  }

  #join(error: string | null, request: JoinGroupRequest, respond: Respond): void {
    if (error !== null) respond(joinRefusal(error));
    else this.#groupOf(request.groupId).join(request, respond);
  }

  #sync(error: string | null, request: SyncGroupRequest, respond: Respond): void {
    const group = this.#groups.get(request.groupId);
    if (error !== null || group === undefined) {
      respond(syncAnswer(error ?? 'UNKNOWN_MEMBER_ID', null));
    } else group.sync(request, respond);
  }

  #commit(error: string | null, request: OffsetCommitRequest, respond: Respond): void {
    const { groupId, topics, generationId } = request;
    const answer = (outcome: string): void => {
      const response: OffsetCommitResponse = {
        throttleTimeMs: 0,
        topics: topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partition }) => ({ partition, errorCode: code(outcome) })),
        })),
      };
      respond(response);
    };
    const group =
      generationId < 0 && error === null ? this.#groupOf(groupId) : this.#groups.get(groupId);
    if (error !== null || group === undefined) {
      answer(error ?? 'UNKNOWN_MEMBER_ID');
      return;
    }
    const offsets = topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partition, offset }): readonly [LogName, number] => [
        logName(name, partition),
        offset,
      ]),
    );
    group.commit(request, offsets, answer);
  }

  #fetchOffsets(
    error: string | null,
    { groupId, topics }: OffsetFetchRequest,
  ): OffsetFetchResponse {
    const group = error === null ? this.#groups.get(groupId) : undefined;
    return {
      throttleTimeMs: 0,
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map((partition) => ({
          partition,
          offset: group?.committed(logName(name, partition)) ?? noCommittedOffset,
          leaderEpoch: -1,
          metadata: null,
          errorCode: code(error ?? 'NONE'),
        })),
      })),
      errorCode: code(error ?? 'NONE'),
    };
  }

  #append(record: GroupRecord, done: (error: string) => void): void {
    const replica = this.#replica();
    if (replica === undefined) {
      done('NOT_COORDINATOR');
      return;
    }
    const { process, defects } = this.#broker.parts;
    const timestamp = Math.floor(process.kernel.nowNs / nsPerMs);
    const waits = record.kind !== 'offsets' || !defects.has('commit-before-replication');
    const batch = batchOf(record, timestamp);
    replica.produce(batch, waits ? -1 : 1, appendTimeoutMs, ({ error }) => {
      done(groupErrors[error] ?? error);
    });
  }
}

/** What a coordinator makes of the errors of its log. */
const groupErrors: Readonly<Record<string, string>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'COORDINATOR_NOT_AVAILABLE',
  NOT_ENOUGH_REPLICAS: 'COORDINATOR_NOT_AVAILABLE',
  NOT_LEADER_OR_FOLLOWER: 'NOT_COORDINATOR',
};

/** Names the leader of the groups' log, which is made when it is first asked for. */
export function findGroupCoordinator(
  broker: Broker,
  respond: (response: FindCoordinatorResponse) => void,
): void {
  const { image, parts } = broker;
  const leader = image.partitions.get(groupLog)?.leader ?? -1;
  const isKnown = image.isLive(leader);
  const { host, port } = isKnown ? addressOf(leader) : { host: '', port: -1 };
  const answer: FindCoordinatorResponse = {
    throttleTimeMs: 0,
    errorCode: code(isKnown ? 'NONE' : 'COORDINATOR_NOT_AVAILABLE'),
    errorMessage: null,
    nodeId: isKnown ? leader : -1,
    host,
    port,
  };
  if (image.hasTopic(groupTopic)) {
    respond(answer);
    return;
  }
  const replicas = [[...parts.nodes].reverse()];
  const config = { minInSync: 2, unclean: false, compaction: null };
  const request = { type: 'create-topic', topic: groupTopic, replicas, config } as const;
  broker.askController(request, createTimeoutMs, () => {
    respond(answer);
  });
}
