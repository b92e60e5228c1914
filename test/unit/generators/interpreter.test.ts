import { describe, expect, it } from 'vitest';
import type { Outcome, ProducerClient, ReaderClient, Sent } from '../../../src/spi/client.ts';
import type { NextOperation } from '../../../src/spi/workload.ts';
import { interpret, script, send, steps } from '../../support/interpretation.ts';

const error = { code: 'X', message: 'x' };
const info: Outcome<never> = { type: 'info', error };
const fail: Outcome<never> = { type: 'fail', error };
const outOfRange: Outcome<never> = {
  type: 'fail',
  error: { code: 'OFFSET_OUT_OF_RANGE', message: 'gone' },
};
const ok = (offset: number): Outcome<readonly Sent[]> => ({
  type: 'ok',
  value: [{ partition: 0, offset }],
});
const poll: NextOperation = { do: 'poll' };

describe('a producing worker', () => {
  it('records invocation and outcome, and keeps its client while all is well', async () => {
    let offset = 40;
    const { drafts, created, tally, run } = interpret({
      scripts: [script('producer', [send(7, 'k'), send(8)])],
      send: () => Promise.resolve(ok(++offset)),
    });
    await run(500);
    expect(drafts).toEqual([
      { process: 0, type: 'invoke', f: 'send', value: [['send', 't/0', 7, { key: 'k' }]] },
      { process: 0, type: 'ok', f: 'send', value: [['send', 't/0', [41, 7], { key: 'k' }]] },
      { process: 0, type: 'invoke', f: 'send', value: [['send', 't/0', 8]] },
      { process: 0, type: 'ok', f: 'send', value: [['send', 't/0', [42, 8]]] },
    ]);
    expect(created).toEqual(['producer-0-1']);
    expect(tally).toMatchObject({ acknowledged: 2, retiring: 0 });
    expect(tally.acknowledgedInvocation.get('t/0')).toBe(2);
  });

  it('is another process after info, and has another client after anything but ok', async () => {
    const outcomes = [fail, info, ok(1)];
    const { drafts, created, disposed, tally, run } = interpret({
      scripts: [script('producer', [send(1), send(2), send(3)])],
      send: () => Promise.resolve(outcomes.shift()!),
    });
    await run(2_000);
    expect(steps(drafts)).toEqual([
      [0, 'invoke', 'send'],
      [0, 'fail', 'send'],
      [0, 'invoke', 'send'],
      [0, 'info', 'send'],
      [4, 'invoke', 'send'],
      [4, 'ok', 'send'],
    ]);
    expect(drafts[1]).toMatchObject({ value: [['send', 't/0', 1]], error });
    expect(created).toEqual(['producer-0-1', 'producer-0-2', 'producer-0-3']);
    expect(disposed).toEqual(created);
    expect(tally).toMatchObject({ failed: 1, uncertain: 1, clientsReplaced: 2, retiring: 0 });
  });

  it('calls what a client threw, or never answered, uncertain', async () => {
    const calls: (() => ReturnType<ProducerClient['send']>)[] = [
      () => {
        throw new Error('bug');
      },
      () => new Promise(() => undefined),
    ];
    const { drafts, tally, run } = interpret({
      scripts: [script('producer', [send(1), send(2)])],
      send: () => calls.shift()!(),
    });
    await run(5_000);
    expect(drafts.filter(({ type }) => type === 'info').map((draft) => draft.error)).toEqual([
      { code: 'CLIENT_THREW', message: 'bug' },
      { code: 'DEADLINE', message: 'no outcome within 1000 ms' },
    ]);
    expect(tally).toMatchObject({ uncertain: 2, clientErrors: 2 });
  });

  it('waits for its open operation when told to stop', async () => {
    const { clock, drafts, interpreter, stop } = interpret({
      scripts: [script('producer', [send(1)])],
      send: async () => {
        await clock.sleep(300);
        return ok(0);
      },
    });
    await clock.drive(interpreter.connect());
    const running = interpreter.run();
    clock.after(100, () => {
      stop.abort();
    });
    await clock.drive(running);
    expect(steps(drafts)).toEqual([
      [0, 'invoke', 'send'],
      [0, 'ok', 'send'],
    ]);
  });

  it('ends with the error of a history that cannot be written', async () => {
    const { clock, interpreter } = interpret({
      scripts: [script('producer', [send(1)])],
      send: () => Promise.resolve(ok(0)),
      append: () => {
        throw new Error('disk full');
      },
    });
    await clock.drive(interpreter.connect());
    await expect(clock.drive(interpreter.run())).rejects.toThrow('disk full');
  });
});

describe('once the workers have stopped or the record has ended', () => {
  it('nothing is sent that could not be recorded', async () => {
    const sent: unknown[] = [];
    const { drafts, disposed, run } = interpret({
      scripts: [script('producer', [send(1), send(2)])],
      send: (requests) => {
        sent.push(...requests.map(({ value }) => value));
        return Promise.resolve(ok(0));
      },
      recordedMax: 2,
    });
    await run(500);
    expect(sent).toEqual([1]);
    expect(drafts).toHaveLength(2);
    expect(disposed).toEqual(['producer-0-1']);
  });

  it('a reader asks nothing that could not be recorded', async () => {
    const asked: string[] = [];
    const { drafts, run } = interpret({
      scripts: [script('reader', [poll])],
      reader: {
        assign: () => {
          asked.push('assign');
          return Promise.resolve({ type: 'ok', value: null });
        },
        poll: () => {
          asked.push('poll');
          return Promise.resolve({ type: 'ok', value: {} });
        },
        [Symbol.asyncDispose]: () => Promise.resolve(),
      },
      recordedMax: 2,
    });
    await run(500);
    expect(asked).toEqual(['assign']);
    expect(drafts).toHaveLength(2);
  });

  it('a client that connects only then is retired unused', async () => {
    let isFirst = true;
    const { clock, drafts, created, disposed, tally, run } = interpret({
      scripts: [script('producer', [send(1), send(2)])],
      send: () => Promise.resolve(fail),
      create: async () => {
        const waitMs = isFirst ? 0 : 300;
        isFirst = false;
        await clock.sleep(waitMs);
      },
    });
    // The second client is asked for after the pause of 100 ms, and connects at 400 ms.
    await run(250);
    await clock.drive(clock.sleep(500));
    expect(steps(drafts)).toEqual([
      [0, 'invoke', 'send'],
      [0, 'fail', 'send'],
    ]);
    expect(created).toEqual(['producer-0-1', 'producer-0-2']);
    expect(disposed).toEqual(created);
    expect(tally).toMatchObject({ clientsReplaced: 0, retiring: 0 });
  });
});

describe('connecting', () => {
  it('tries again with growing pauses, and records nothing', async () => {
    const attempts: number[] = [];
    const { clock, created, drafts, interpreter } = interpret({
      scripts: [script('producer', [])],
      create: () => {
        attempts.push(clock.nowNs() / 1e6);
        return attempts.length < 4 ? Promise.reject(new Error('down')) : Promise.resolve();
      },
    });
    expect(await clock.drive(interpreter.connect())).toBeNull();
    expect(attempts).toEqual([0, 200, 600, 1_400]);
    expect(created).toEqual(['producer-0-4']);
    expect(drafts).toEqual([]);
  });

  it('disposes a client that comes too late', async () => {
    let slow = true;
    const { clock, created, disposed, interpreter } = interpret({
      scripts: [script('producer', [])],
      create: async () => {
        const waitMs = slow ? 2_000 : 0;
        slow = false;
        await clock.sleep(waitMs);
      },
    });
    await clock.drive(interpreter.connect());
    await clock.driveUntil(5_000);
    expect(created).toEqual(['producer-0-2', 'producer-0-1']);
    expect(disposed).toEqual(['producer-0-1']);
  });

  it('gives up when stopped, and says why it had not connected', async () => {
    const { clock, interpreter, stop } = interpret({
      scripts: [script('producer', [])],
      create: () => Promise.reject(new Error('down')),
    });
    clock.after(3_000, () => {
      stop.abort();
    });
    expect(await clock.drive(interpreter.connect())).toBe('down');
  });
});

describe('a reader', () => {
  function reader(polls: Awaited<ReturnType<ReaderClient['poll']>>[]) {
    const froms: unknown[] = [];
    const client: ReaderClient = {
      assign: (_logs, from) => {
        froms.push(from);
        return Promise.resolve({ type: 'ok', value: null });
      },
      poll: () => Promise.resolve(polls.shift()!),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    const plan = {
      scripts: [
        script(
          'reader',
          polls.map(() => poll),
        ),
      ],
      reader: client,
    };
    return { froms, ...interpret(plan) };
  }
  const two = {
    type: 'ok',
    value: {
      't/0': [
        [0, 'a'],
        [1, 'b'],
      ],
    },
  } as const;

  it('is assigned from the beginning before its first poll', async () => {
    const { drafts, tally, run } = reader([two]);
    await run(500);
    const value = { logs: ['t/0', 't/1'], from: 'beginning', isolation: 'read_committed' };
    expect(drafts).toEqual([
      { process: 0, type: 'invoke', f: 'assign', value },
      { process: 0, type: 'ok', f: 'assign', value },
      { process: 0, type: 'invoke', f: 'poll', value: [['poll']] },
      { process: 0, type: 'ok', f: 'poll', value: [['poll', two.value]] },
    ]);
    expect(tally.recordsPolled).toBe(2);
  });

  it('is assigned anew where it stood after a poll that failed', async () => {
    const { drafts, froms, created, run } = reader([two, fail, two]);
    await run(2_000);
    expect(froms).toEqual(['beginning', { 't/0': 2, 't/1': 0 }]);
    expect(steps(drafts).slice(4)).toEqual([
      [0, 'invoke', 'poll'],
      [0, 'fail', 'poll'],
      [0, 'invoke', 'assign'],
      [0, 'ok', 'assign'],
      [0, 'invoke', 'poll'],
      [0, 'ok', 'poll'],
    ]);
    expect(created).toEqual(['reader-0-1']);
  });

  it('is assigned where it stood as another process after info, with a new client', async () => {
    const { drafts, froms, created, run } = reader([two, info, two]);
    await run(2_000);
    expect(froms).toEqual(['beginning', { 't/0': 2, 't/1': 0 }]);
    expect(steps(drafts).slice(5, 7)).toEqual([
      [0, 'info', 'poll'],
      [4, 'invoke', 'assign'],
    ]);
    expect(created).toEqual(['reader-0-1', 'reader-0-2']);
  });

  it('begins at the beginning again when its position is gone', async () => {
    const { froms, run } = reader([two, outOfRange, two]);
    await run(2_000);
    expect(froms).toEqual(['beginning', 'beginning']);
  });
});
