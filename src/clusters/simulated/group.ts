/**
 * One consumer group as its coordinator keeps it: Kafka's classic protocol. Members join; when all have, or the time of those that
 * have not is up, a generation begins, its leader brings an assignment, and each member hears its part once that is on the log.
 */
import type { LogName } from '../../history/event.ts';
import type { HeartbeatRequest } from '../../kafka-protocol/messages/heartbeat.ts';
import type {
  JoinGroupRequest,
  JoinGroupResponse,
} from '../../kafka-protocol/messages/join-group.ts';
import type { OffsetCommitRequest } from '../../kafka-protocol/messages/offset-commit.ts';
import type {
  SyncGroupRequest,
  SyncGroupResponse,
} from '../../kafka-protocol/messages/sync-group.ts';
import { nsPerMs } from '../../core/units.ts';
import { code } from './error-code.ts';
import type { GroupRecord, LoggedMember } from './group-log.ts';
import type { Scheduled } from './kernel.ts';
import type { NodeProcess } from './node-process.ts';

export interface GroupHost {
  readonly process: NodeProcess;
  readonly defects: ReadonlySet<string>;
  /** Writes to the log of the groups; `done` hears NONE once it is replicated, or Kafka's error. */
  append(record: GroupRecord, done: (error: string) => void): void;
  newMemberId(): string;
}

interface Member {
  readonly id: string;
  sessionMs: number;
  rebalanceMs: number;
  metadata: Buffer | null;
  assignment: Buffer | null;
  /** Answers its open JoinGroup or SyncGroup. */
  join: ((response: JoinGroupResponse) => void) | null;
  sync: ((response: SyncGroupResponse) => void) | null;
  /** Ends it unless it is heard of; null while it waits for the others. */
  session: Scheduled | null;
}

interface CommittedOffset {
  readonly next: number;
  readonly atNs: number;
}

/** After this a coordinator with the defect offsets-expire has forgotten an offset. */
const expiryMs = 4_000;

export class Group {
  readonly #id: string;
  readonly #host: GroupHost;
  #phase: 'empty' | 'joining' | 'syncing' | 'stable' = 'empty';
  #generation = 0;
  #leader: string | null = null;
  readonly #members = new Map<string, Member>();
  /** Ids that were given out and have not joined yet. */
  readonly #pending = new Set<string>();
  readonly #offsets = new Map<LogName, CommittedOffset>();
  #joinBound: Scheduled | null = null;
  #over = false;

  constructor(id: string, host: GroupHost) {
    this.#id = id;
    this.#host = host;
  }

  /** As the log says: called for each of its records, in order, before anything else. */
  replay(record: GroupRecord): void {
    if (record.kind === 'offsets') {
      this.#apply(record);
      return;
    }
    this.#generation = record.generation;
    this.#leader = record.leader;
    this.#members.clear();
    for (const logged of record.members) {
      this.#members.set(logged.id, { ...logged, join: null, sync: null, session: null });
    }
    this.#phase = record.members.length === 0 ? 'empty' : 'stable';
  }

  /** The log is read: from now on its members are expected to be heard of. */
  begin(): void {
    for (const member of this.#members.values()) this.#hear(member);
  }

  /** The coordinator lost its post: whoever waits has to ask another one. */
  end(error: string): void {
    this.#over = true;
    this.#joinBound?.cancel();
    for (const member of this.#members.values()) {
      member.session?.cancel();
      dismiss(member, error);
    }
  }

  join(request: JoinGroupRequest, respond: (response: JoinGroupResponse) => void): void {
    if (request.memberId === '') {
      const memberId = this.#host.newMemberId();
      this.#pending.add(memberId);
      respond({ ...joinRefusal('MEMBER_ID_REQUIRED'), memberId });
      return;
    }
    const known = this.#members.get(request.memberId);
    if (known === undefined && !this.#pending.delete(request.memberId)) {
      respond(joinRefusal('UNKNOWN_MEMBER_ID'));
      return;
    }
    const member = known ?? newMember(request.memberId);
    this.#members.set(member.id, member);
    member.sessionMs = request.sessionTimeoutMs;
    member.rebalanceMs = request.rebalanceTimeoutMs;
    member.metadata = request.protocols[0]?.metadata ?? null;
    if (known !== undefined && this.#phase === 'stable' && member.id !== this.#leader) {
      // It did not hear the answer to its last one.
      this.#hear(member);
      respond(this.#joined(member));
      return;
    }
    member.join?.(joinRefusal('REBALANCE_IN_PROGRESS'));
    member.join = respond;
    member.session?.cancel();
    member.session = null;
    if (this.#phase === 'joining') this.#completeIfAllJoined();
    else this.#prepare();
  }

  sync(request: SyncGroupRequest, respond: (response: SyncGroupResponse) => void): void {
    const member = this.#members.get(request.memberId);
    const refusal = this.#refusalOf(member, request.generationId);
    if (member === undefined || refusal !== null) {
      respond(syncAnswer(refusal ?? 'UNKNOWN_MEMBER_ID', null));
      return;
    }
    this.#hear(member);
    if (this.#phase === 'joining') respond(syncAnswer('REBALANCE_IN_PROGRESS', null));
    else if (this.#phase === 'stable') respond(syncAnswer('NONE', member.assignment));
    else {
      member.sync?.(syncAnswer('REBALANCE_IN_PROGRESS', null));
      member.sync = respond;
      if (member.id === this.#leader) this.#assign(request.assignments);
    }
  }

  /** @returns Kafka's error. */
  heartbeat({ memberId, generationId }: HeartbeatRequest): string {
    const member = this.#members.get(memberId);
    const refusal = this.#refusalOf(member, generationId);
    if (member === undefined || refusal !== null) {
      return this.#host.defects.has('zombies-served') ? 'NONE' : (refusal ?? 'UNKNOWN_MEMBER_ID');
    }
    this.#hear(member);
    return this.#phase === 'joining' ? 'REBALANCE_IN_PROGRESS' : 'NONE';
  }

  /** @returns Kafka's error. */
  leave(memberId: string): string {
    const member = this.#members.get(memberId);
    if (member === undefined) {
      return this.#pending.delete(memberId) ? 'NONE' : 'UNKNOWN_MEMBER_ID';
    }
    this.#remove(member);
    return 'NONE';
  }

  /** @param done gets Kafka's error once the offsets are on the log, or refused. */
  commit(
    { memberId, generationId }: Pick<OffsetCommitRequest, 'memberId' | 'generationId'>,
    offsets: readonly (readonly [LogName, number])[],
    done: (error: string) => void,
  ): void {
    const refusal = this.#refusalOfCommit(memberId, generationId);
    if (refusal !== null && !this.#host.defects.has('zombies-served')) {
      done(refusal);
      return;
    }
    const record: GroupRecord = { kind: 'offsets', group: this.#id, offsets };
    this.#host.append(record, (error) => {
      if (error === 'NONE') this.#apply(record);
      done(error);
    });
  }

  /** The next record to read of a log, or null where nothing is committed. */
  committed(log: LogName): number | null {
    const known = this.#offsets.get(log);
    if (known === undefined) return null;
    const { defects, process } = this.#host;
    const ageNs = process.kernel.nowNs - known.atNs;
    return defects.has('offsets-expire') && ageNs > expiryMs * nsPerMs ? null : known.next;
  }

  #apply({ offsets }: Extract<GroupRecord, { kind: 'offsets' }>): void {
    const atNs = this.#host.process.kernel.nowNs;
    for (const [log, next] of offsets) this.#offsets.set(log, { next, atNs });
  }

  #refusalOf(member: Member | undefined, generation: number): string | null {
    if (member === undefined) return 'UNKNOWN_MEMBER_ID';
    return generation === this.#generation ? null : 'ILLEGAL_GENERATION';
  }

  #refusalOfCommit(memberId: string, generation: number): string | null {
    if (generation < 0 && memberId === '' && this.#members.size === 0) return null;
    const member = this.#members.get(memberId);
    const refusal = this.#refusalOf(member, generation);
    if (member === undefined || refusal !== null) return refusal;
    this.#hear(member);
    return this.#phase === 'syncing' ? 'REBALANCE_IN_PROGRESS' : null;
  }

  /** Its session begins anew. */
  #hear(member: Member): void {
    member.session?.cancel();
    if (member.join !== null) return;
    member.session = this.#host.process.after(member.sessionMs, () => {
      member.session = null;
      this.#remove(member);
    });
  }

  #remove(member: Member): void {
    this.#members.delete(member.id);
    member.session?.cancel();
    dismiss(member, 'UNKNOWN_MEMBER_ID');
    if (this.#leader === member.id) this.#leader = null;
    if (this.#phase === 'joining') this.#completeIfAllJoined();
    else if (this.#phase !== 'empty') this.#prepare();
  }

  /** Everybody has to join again. */
  #prepare(): void {
    this.#phase = 'joining';
    let boundMs = 0;
    for (const member of this.#members.values()) {
      boundMs = Math.max(boundMs, member.rebalanceMs);
      member.sync?.(syncAnswer('REBALANCE_IN_PROGRESS', null));
      member.sync = null;
    }
    this.#joinBound = this.#host.process.after(boundMs, () => {
      this.#completeWithoutLate();
    });
    this.#completeIfAllJoined();
  }

  #completeIfAllJoined(): void {
    if ([...this.#members.values()].every(({ join }) => join !== null)) this.#complete();
  }

  #completeWithoutLate(): void {
    for (const member of [...this.#members.values()]) {
      if (member.join !== null) continue;
      member.session?.cancel();
      this.#members.delete(member.id);
      if (this.#leader === member.id) this.#leader = null;
    }
    this.#complete();
  }

  #complete(): void {
    this.#joinBound?.cancel();
    this.#joinBound = null;
    const stays = this.#generation > 0 && this.#host.defects.has('generation-stays');
    if (!stays) this.#generation += 1;
    if (this.#members.size === 0) {
      this.#phase = 'empty';
      this.#leader = null;
      this.#host.append(this.#generationRecord(), () => undefined);
      return;
    }
    this.#phase = 'syncing';
    this.#leader ??= [...this.#members.keys()][0] ?? null;
    for (const member of this.#members.values()) {
      const respond = member.join;
      member.join = null;
      member.assignment = null;
      this.#hear(member);
      respond?.(this.#joined(member));
    }
  }

  #joined(member: Member): JoinGroupResponse {
    const all = [...this.#members.values()];
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      generationId: this.#generation,
      protocolName: 'turning',
      leader: this.#leader ?? '',
      memberId: member.id,
      members:
        member.id === this.#leader
          ? all.map(({ id, metadata }) => ({ memberId: id, groupInstanceId: null, metadata }))
          : [],
    };
  }

  /** The leader has assigned: it counts, and is told, once it is on the log. */
  #assign(assignments: SyncGroupRequest['assignments']): void {
    const generation = this.#generation;
    const given = new Map(assignments.map(({ memberId, assignment }) => [memberId, assignment]));
    this.#host.append(this.#generationRecord(given), (error) => {
      if (this.#over || this.#phase !== 'syncing' || this.#generation !== generation) return;
      if (error !== 'NONE') {
        for (const member of this.#members.values()) {
          member.sync?.(syncAnswer(error, null));
          member.sync = null;
        }
        this.#prepare();
        return;
      }
      this.#phase = 'stable';
      for (const member of this.#members.values()) {
        member.assignment = given.get(member.id) ?? null;
      }
      if (this.#host.defects.has('two-owners')) this.#giveTwice();
      for (const member of this.#members.values()) {
        member.sync?.(syncAnswer('NONE', member.assignment));
        member.sync = null;
      }
    });
  }

  /** In every other generation the second member hears what the first one was given. */
  #giveTwice(): void {
    const [first, second] = this.#members.values();
    if (first === undefined || second === undefined || this.#generation % 2 === 0) return;
    second.assignment = first.assignment;
  }

  #generationRecord(given: ReadonlyMap<string, Buffer | null> = new Map()): GroupRecord {
    const members = [...this.#members.values()].map(
      ({ id, sessionMs, rebalanceMs, metadata }): LoggedMember => ({
        ...{ id, sessionMs, rebalanceMs, metadata },
        assignment: given.get(id) ?? null,
      }),
    );
    const { kind, group } = { kind: 'generation', group: this.#id } as const;
    return { kind, group, generation: this.#generation, leader: this.#leader, members };
  }
}

function newMember(id: string): Member {
  return {
    ...{ id, sessionMs: 0, rebalanceMs: 0, metadata: null, assignment: null },
    ...{ join: null, sync: null, session: null },
  };
}

/** Answers what it has open. */
function dismiss(member: Member, error: string): void {
  member.join?.(joinRefusal(error));
  member.sync?.(syncAnswer(error, null));
  member.join = null;
  member.sync = null;
}

export function joinRefusal(error: string): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: code(error),
    generationId: -1,
    protocolName: '',
    leader: '',
    memberId: '',
    members: [],
  };
}

export function syncAnswer(error: string, assignment: Buffer | null): SyncGroupResponse {
  return { throttleTimeMs: 0, errorCode: code(error), assignment };
}
