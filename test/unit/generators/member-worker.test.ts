/** The loop of a group's member: what it records, what it commits, and how it comes back. */
import { describe, expect, it } from 'vitest';
import type {
  MemberClient,
  MemberIdentity,
  Outcome,
  PollResult,
  RebalanceTold,
} from '../../../src/spi/client.ts';
import type { NextOperation } from '../../../src/spi/workload.ts';
import { interpret, script, steps } from '../../support/interpretation.ts';

const error = { code: 'X', message: 'x' };
const nothing: Outcome<null> = { type: 'ok', value: null };
const given = (assigned: readonly string[], more: Partial<RebalanceTold> = {}): RebalanceTold => ({
  assigned,
  revoked: [],
  lost: [],
  ...more,
});

interface Answers {
  readonly polls?: (Outcome<PollResult> | RebalanceTold)[];
  readonly commits?: Outcome<MemberIdentity>[];
  readonly subscribes?: Outcome<null>[];
}

/** A member that is given t/0 when it subscribes, and answers from lists; a rebalance in `polls` is told before an empty answer. */
function member({ polls = [], commits = [], subscribes = [] }: Answers) {
  const asked: unknown[] = [];
  const make = (
    told: (rebalance: RebalanceTold) => void,
  ): Omit<MemberClient, typeof Symbol.asyncDispose> => ({
    subscribe: () => {
      const outcome = subscribes.shift() ?? nothing;
      if (outcome.type === 'ok') told(given(['t/0'], { generation: 4, member: 'm' }));
      return Promise.resolve(outcome);
    },
    poll: () => {
      const next = polls.shift() ?? { type: 'ok', value: {} };
      if ('type' in next) return Promise.resolve(next);
      told(next);
      return Promise.resolve({ type: 'ok', value: {} });
    },
    identity: () => ({ generation: 4, member: 'm' }),
    commit: (offsets) => {
      asked.push(offsets);
      return Promise.resolve(commits.shift() ?? { type: 'ok', value: { generation: 5 } });
    },
    committed: () => Promise.resolve({ type: 'ok', value: { 't/0': 3 } }),
    close: () => Promise.resolve(nothing),
  });
  return { make, asked };
}

const read = (log: string, ...offsets: number[]): Outcome<PollResult> => ({
  type: 'ok',
  value: { [log]: offsets.map((offset) => [offset, offset]) },
});
const does = (...what: ('poll' | 'commit' | 'committed' | 'leave' | 'crash')[]): NextOperation[] =>
  what.map((each) => ({ do: each }));

function play(answers: Answers, ...operations: NextOperation[]) {
  const { make, asked } = member(answers);
  return { asked, ...interpret({ scripts: [script('member', operations)], member: make }) };
}

describe('a member', () => {
  it('records that it joined, what it was given, what it read and what it committed', async () => {
    const { drafts, tally, run } = play(
      { polls: [read('t/0', 5, 6)] },
      ...does('poll', 'commit', 'committed'),
    );
    await run(500);
    const value = { group: 'g', topics: ['t'], isolation: 'read_committed' };
    const commit = { group: 'g', offsets: { 't/0': 7 }, generation: 4, member: 'm' };
    expect(drafts).toEqual([
      { process: 0, type: 'invoke', f: 'subscribe', value },
      { process: 0, type: 'event', f: 'rebalance', value: given(['t/0'], { generation: 4, member: 'm' }) },
      { process: 0, type: 'ok', f: 'subscribe', value },
      { process: 0, type: 'invoke', f: 'poll', value: [['poll']] },
      { process: 0, type: 'ok', f: 'poll', value: [['poll', { 't/0': [[5, 5], [6, 6]] }]] },
      { process: 0, type: 'invoke', f: 'commit', value: commit },
      { process: 0, type: 'ok', f: 'commit', value: { ...commit, generation: 5 } },
      { process: 0, type: 'invoke', f: 'committed', value: { group: 'g', logs: ['t/0', 't/1'] } },
      { process: 0, type: 'ok', f: 'committed', value: { group: 'g', offsets: { 't/0': 3 } } },
    ]); // prettier-ignore
    expect(tally.acknowledgedInvocation.get('group g')).toBe(5);
    expect(tally.recordsPolled).toBe(2);
  });

  it('commits nothing that it has committed, or that was taken away', async () => {
    const polls = [read('t/0', 5), given([], { revoked: ['t/0'] }), read('t/1', 2)];
    const { asked, run } = play(
      { polls },
      ...does('commit', 'poll', 'commit', 'commit', 'poll', 'commit', 'poll', 'commit'),
    );
    await run(500);
    expect(asked).toEqual([{ 't/0': 6 }, { 't/1': 3 }]);
  });

  it('forgets what it read once the log was taken away, committed or not', async () => {
    const polls = [read('t/0', 5), given(['t/0'], { generation: 5 })];
    const { asked, run } = play({ polls }, ...does('poll', 'poll', 'commit'));
    await run(500);
    expect(asked).toEqual([]);
  });

  it('asks again after a refusal, under the same process', async () => {
    const refused: Outcome<never> = { type: 'fail', error };
    const { drafts, created, run } = play({ subscribes: [refused], commits: [refused], polls: [read('t/0', 1)] }, ...does('poll', 'commit', 'poll')); // prettier-ignore
    await run(3_000);
    expect(steps(drafts)).toEqual([
      [0, 'invoke', 'subscribe'],
      [0, 'fail', 'subscribe'],
      [0, 'invoke', 'subscribe'],
      [0, 'event', 'rebalance'],
      [0, 'ok', 'subscribe'],
      [0, 'invoke', 'poll'],
      [0, 'ok', 'poll'],
      [0, 'invoke', 'commit'],
      [0, 'fail', 'commit'],
      [0, 'invoke', 'poll'],
      [0, 'ok', 'poll'],
    ]);
    expect(created).toEqual(['member-0-1']);
  });

  it('is another process with another client after an uncertain outcome', async () => {
    const { drafts, created, disposed, run } = play(
      { commits: [{ type: 'info', error }], polls: [read('t/0', 1)] },
      ...does('poll', 'commit', 'poll'),
    );
    await run(3_000);
    expect(steps(drafts).slice(5)).toEqual([
      [0, 'invoke', 'commit'],
      [0, 'info', 'commit'],
      [4, 'invoke', 'subscribe'],
      [4, 'event', 'rebalance'],
      [4, 'ok', 'subscribe'],
      [4, 'invoke', 'poll'],
      [4, 'ok', 'poll'],
    ]);
    expect(created).toEqual(['member-0-1', 'member-0-2']);
    expect(disposed).toEqual(created);
  });

  it('joins again after it left, as the same process, and after it died, as another', async () => {
    const { drafts, created, run } = play({}, ...does('leave', 'crash', 'poll'));
    await run(8_000);
    const operations = drafts.filter(({ f }) => f !== 'rebalance');
    expect(steps(operations)).toEqual([
      [0, 'invoke', 'subscribe'],
      [0, 'ok', 'subscribe'],
      [0, 'invoke', 'close'],
      [0, 'ok', 'close'],
      [0, 'invoke', 'subscribe'],
      [0, 'ok', 'subscribe'],
      [0, 'event', 'crash'],
      [4, 'invoke', 'subscribe'],
      [4, 'ok', 'subscribe'],
      [4, 'invoke', 'poll'],
      [4, 'ok', 'poll'],
    ]);
    expect(created).toHaveLength(3);
  });

  it('hears nothing more of a client that it gave up', async () => {
    const tellers: ((rebalance: RebalanceTold) => void)[] = [];
    const { make } = member({});
    const { drafts, run } = interpret({
      scripts: [script('member', does('crash'))],
      member: (told) => {
        tellers.push(told);
        return make(told);
      },
    });
    await run(3_000);
    const before = drafts.length;
    tellers[0]!(given(['t/1']));
    expect(drafts).toHaveLength(before);
  });
});
