/** One group by itself: a log that answers when the test says so, and virtual time. */
import { describe, expect, it } from 'vitest';
import { Group } from '../../../../src/clusters/simulated/group.ts';
import type { GroupRecord } from '../../../../src/clusters/simulated/group-log.ts';
import { Kernel } from '../../../../src/clusters/simulated/kernel.ts';
import { NodeProcess } from '../../../../src/clusters/simulated/node-process.ts';
import { errorName } from '../../../../src/kafka-protocol/error-codes.ts';
import type { JoinGroupResponse } from '../../../../src/kafka-protocol/messages/join-group.ts';
import type { SyncGroupResponse } from '../../../../src/kafka-protocol/messages/sync-group.ts';
import { advance } from '../../../support/model-cluster.ts';

const sessionMs = 6_000;

/** A group with whatever its members have been answered so far. */
class Table {
  readonly kernel = new Kernel();
  readonly process = new NodeProcess(1, this.kernel, 0);
  /** Written to the log, in order; `settle` answers the oldest that waits. */
  readonly log: GroupRecord[] = [];
  readonly #waiting: ((error: string) => void)[] = [];
  /** The log answers at once. */
  prompt = true;
  #ids = 0;
  group: Group;

  readonly defects: readonly string[];

  constructor(defects: readonly string[] = []) {
    this.defects = defects;
    this.process.begin();
    this.group = this.another();
  }

  another(): Group {
    return new Group('g', {
      process: this.process,
      defects: new Set(this.defects),
      append: (record, done) => {
        this.log.push(record);
        if (this.prompt) done('NONE');
        else this.#waiting.push(done);
      },
      newMemberId: () => `m${++this.#ids}`,
    });
  }

  settle(error: string): void {
    this.#waiting.shift()?.(error);
  }

  advance(ms: number): void {
    advance(this.kernel, ms);
  }

  /** Asks for an id. */
  newId(): string {
    const { answers } = this.join('');
    expect(errorName(answers[0]!.errorCode)).toBe('MEMBER_ID_REQUIRED');
    return answers[0]!.memberId;
  }

  join(memberId: string): { readonly answers: readonly JoinGroupResponse[] } {
    const answers: JoinGroupResponse[] = [];
    const request = {
      ...{ groupId: 'g', sessionTimeoutMs: sessionMs, rebalanceTimeoutMs: 5_000, memberId },
      ...{ groupInstanceId: null, protocolType: 'consumer' },
      protocols: [{ name: 'turning', metadata: Buffer.from(memberId) }],
    };
    this.group.join(request, (answer) => answers.push(answer));
    return { answers };
  }

  sync(
    memberId: string,
    generationId: number,
    given: Readonly<Record<string, string>> = {},
  ): { readonly answers: readonly SyncGroupResponse[] } {
    const answers: SyncGroupResponse[] = [];
    const assignments = Object.entries(given).map(([member, text]) => ({
      memberId: member,
      assignment: Buffer.from(text),
    }));
    const request = { groupId: 'g', generationId, memberId, groupInstanceId: null, assignments };
    this.group.sync(request, (answer) => answers.push(answer));
    return { answers };
  }

  beat(memberId: string, generationId: number): string {
    return this.group.heartbeat({ groupId: 'g', generationId, memberId, groupInstanceId: null });
  }

  commit(memberId: string, generationId: number, next: number): readonly string[] {
    const errors: string[] = [];
    this.group.commit({ memberId, generationId }, [['t/0', next]], (error) => errors.push(error));
    return errors;
  }

  /** Beats of these members for so long. */
  keepAlive(ms: number, members: readonly (readonly [string, number])[]): void {
    for (let left = ms; left > 0; left -= 500) {
      this.advance(500);
      for (const [member, generation] of members) this.beat(member, generation);
    }
  }

  /** m1 leads generation 1 alone. */
  alone(): string {
    const id = this.newId();
    this.join(id);
    this.sync(id, 1, { [id]: 'all' });
    return id;
  }
}

const errorsOf = (answers: readonly { readonly errorCode: number }[]): readonly string[] =>
  answers.map(({ errorCode }) => errorName(errorCode));

describe('joining', () => {
  it('gives an id first; the first member is the whole generation, and its leader', () => {
    const table = new Table();
    const id = table.newId();
    const { answers } = table.join(id);
    expect(answers).toMatchObject([{ errorCode: 0, generationId: 1, leader: id, memberId: id }]);
    expect(answers[0]!.members.map(({ memberId }) => memberId)).toEqual([id]);
    expect(errorsOf(table.join('stranger').answers)).toEqual(['UNKNOWN_MEMBER_ID']);
  });

  it('of another member lets all join again: the first one hears of it by its heartbeat', () => {
    const table = new Table();
    const first = table.alone();
    const second = table.newId();
    const waiting = table.join(second);
    expect(waiting.answers).toEqual([]);
    expect(table.beat(first, 1)).toBe('REBALANCE_IN_PROGRESS');
    const again = table.join(first);
    expect(waiting.answers).toMatchObject([{ generationId: 2, leader: first, members: [] }]);
    expect(again.answers[0]!.members.map(({ memberId }) => memberId)).toEqual([first, second]);
    expect(table.beat(first, 1)).toBe('ILLEGAL_GENERATION');
  });

  it('waits for a member that beats and does not join, at most its rebalance timeout', () => {
    const table = new Table();
    const first = table.alone();
    const waiting = table.join(table.newId());
    table.keepAlive(4_500, [[first, 1]]);
    expect(waiting.answers).toEqual([]);
    table.keepAlive(1_000, [[first, 1]]);
    expect(waiting.answers).toMatchObject([{ generationId: 2 }]);
    expect(table.beat(first, 2)).toBe('UNKNOWN_MEMBER_ID');
  });

  it('again, as a follower of a stable generation, is answered with it', () => {
    const table = new Table();
    const first = table.alone();
    const second = table.newId();
    table.join(second);
    table.join(first);
    table.sync(first, 2, { [first]: 'a', [second]: 'b' });
    expect(table.join(second).answers).toMatchObject([{ errorCode: 0, generationId: 2 }]);
    expect(table.sync(second, 2).answers[0]!.assignment?.toString()).toBe('b');
  });
});

describe('syncing', () => {
  it('is answered when the assignment is on the log, to everybody with its own part', () => {
    const table = new Table();
    table.prompt = false;
    const first = table.newId();
    table.join(first);
    table.sync(first, 1, { [first]: 'all' });
    const second = table.newId();
    table.settle('NONE');
    table.join(second);
    table.join(first);
    const follower = table.sync(second, 2);
    const leader = table.sync(first, 2, { [first]: 'a', [second]: 'b' });
    expect([...follower.answers, ...leader.answers]).toEqual([]);
    table.settle('NONE');
    expect(follower.answers[0]!.assignment?.toString()).toBe('b');
    expect(leader.answers[0]!.assignment?.toString()).toBe('a');
    expect(table.log.at(-1)).toMatchObject({ kind: 'generation', generation: 2, leader: first });
  });

  it('that cannot be logged is refused, and everybody joins again', () => {
    const table = new Table();
    table.prompt = false;
    const id = table.newId();
    table.join(id);
    const { answers } = table.sync(id, 1, { [id]: 'all' });
    table.settle('COORDINATOR_NOT_AVAILABLE');
    expect(errorsOf(answers)).toEqual(['COORDINATOR_NOT_AVAILABLE']);
    expect(table.beat(id, 1)).toBe('REBALANCE_IN_PROGRESS');
  });

  it('is refused to strangers, to other generations, and while members join', () => {
    const table = new Table();
    const id = table.alone();
    expect(errorsOf(table.sync('stranger', 1).answers)).toEqual(['UNKNOWN_MEMBER_ID']);
    expect(errorsOf(table.sync(id, 2).answers)).toEqual(['ILLEGAL_GENERATION']);
    table.join(table.newId());
    expect(errorsOf(table.sync(id, 1).answers)).toEqual(['REBALANCE_IN_PROGRESS']);
  });
});

describe('a member', () => {
  it('that falls silent is given up after its session, and the others rebalance', () => {
    const table = new Table();
    const id = table.alone();
    table.advance(sessionMs - 1);
    expect(table.beat(id, 1)).toBe('NONE');
    table.advance(sessionMs + 1);
    expect(table.beat(id, 1)).toBe('UNKNOWN_MEMBER_ID');
    expect(table.log.at(-1)).toMatchObject({ kind: 'generation', generation: 2, members: [] });
  });

  it('that leaves makes the others join again; one that is not there has nothing to leave', () => {
    const table = new Table();
    const first = table.alone();
    const second = table.newId();
    table.join(second);
    table.join(first);
    table.sync(first, 2);
    expect(table.group.leave(second)).toBe('NONE');
    expect(table.beat(first, 2)).toBe('REBALANCE_IN_PROGRESS');
    expect(table.group.leave(second)).toBe('UNKNOWN_MEMBER_ID');
    expect(table.group.leave(table.newId())).toBe('NONE');
  });

  it('hears NOT_COORDINATOR of what it has open when the coordinator loses its post', () => {
    const table = new Table();
    table.alone();
    const waiting = table.join(table.newId());
    table.group.end('NOT_COORDINATOR');
    expect(errorsOf(waiting.answers)).toEqual(['NOT_COORDINATOR']);
  });
});

describe('commits', () => {
  it('count once they are on the log, from members of this generation alone', () => {
    const table = new Table();
    const id = table.alone();
    table.prompt = false;
    const errors = table.commit(id, 1, 7);
    expect([errors, table.group.committed('t/0')]).toEqual([[], null]);
    table.settle('NONE');
    expect([errors, table.group.committed('t/0')]).toEqual([['NONE'], 7]);
    expect(table.commit(id, 0, 8)).toEqual(['ILLEGAL_GENERATION']);
    expect(table.commit('stranger', 1, 8)).toEqual(['UNKNOWN_MEMBER_ID']);
    expect(table.commit('', -1, 8)).toEqual(['UNKNOWN_MEMBER_ID']);
    const late = table.commit(id, 1, 9);
    table.settle('REQUEST_TIMED_OUT');
    expect([late, table.group.committed('t/0')]).toEqual([['REQUEST_TIMED_OUT'], 7]);
  });

  it('are refused between join and sync, taken from nobody’s member while there is none', () => {
    const table = new Table();
    expect(table.commit('', -1, 3)).toEqual(['NONE']);
    const id = table.newId();
    table.join(id);
    expect(table.commit(id, 1, 4)).toEqual(['REBALANCE_IN_PROGRESS']);
    expect(table.group.committed('t/0')).toBe(3);
  });

  it('and the generation are there again after the log was read anew, with fresh sessions', () => {
    const table = new Table();
    const id = table.alone();
    table.commit(id, 1, 7);
    table.advance(sessionMs - 10);
    const next = table.another();
    for (const record of table.log) next.replay(record);
    table.group.end('NOT_COORDINATOR');
    table.group = next;
    next.begin();
    table.advance(sessionMs - 10);
    expect(table.beat(id, 1)).toBe('NONE');
    expect(next.committed('t/0')).toBe(7);
    expect(table.sync(id, 1).answers[0]!.assignment?.toString()).toBe('all');
  });
});

describe('defects', () => {
  it('zombies-served: heartbeats and commits of whoever comes', () => {
    const table = new Table(['zombies-served']);
    const id = table.alone();
    table.advance(sessionMs + 1);
    expect([table.beat(id, 1), table.commit(id, 1, 5)]).toEqual(['NONE', ['NONE']]);
  });

  it('generation-stays: the second generation has the number of the first', () => {
    const table = new Table(['generation-stays']);
    const first = table.alone();
    const { answers } = table.join(table.newId());
    table.join(first);
    expect(answers).toMatchObject([{ generationId: 1 }]);
  });

  it('two-owners: the second member is told what the first has, in every other generation', () => {
    const table = new Table(['two-owners']);
    const first = table.alone();
    const second = table.newId();
    const given = (generation: number): string | undefined => {
      table.join(second);
      table.join(first);
      const { answers } = table.sync(second, generation);
      table.sync(first, generation, { [first]: 'a', [second]: 'b' });
      return answers[0]?.assignment?.toString();
    };
    expect(given(2)).toBe('b');
    table.group.leave(second);
    const third = table.newId();
    table.join(third);
    const { answers } = table.join(first);
    expect(answers).toMatchObject([{ generationId: 3 }]);
    const synced = table.sync(third, 3);
    table.sync(first, 3, { [first]: 'a', [third]: 'b' });
    expect(synced.answers[0]?.assignment?.toString()).toBe('a');
  });

  it('offsets-expire: an offset is gone seconds after its commit', () => {
    const table = new Table(['offsets-expire']);
    const id = table.alone();
    table.commit(id, 1, 7);
    table.advance(3_900);
    expect(table.group.committed('t/0')).toBe(7);
    table.advance(200);
    expect(table.group.committed('t/0')).toBeNull();
  });
});
