import { describe, expect, it } from 'vitest';
import type { Outcome, ProducerClient, Sent } from '../../../src/spi/client.ts';
import type { NextOperation } from '../../../src/spi/workload.ts';
import { interpret, script, send, steps } from '../../support/interpretation.ts';

const error = { code: 'X', message: 'x' };
const info: Outcome<never> = { type: 'info', error };
const fail: Outcome<never> = { type: 'fail', error };
const ok = (...sent: readonly Sent[]): Outcome<readonly Sent[]> => ({ type: 'ok', value: sent });

/** Answers of a client, one call after the other. */
function answers(outcomes: Outcome<readonly Sent[]>[]): ProducerClient['send'] {
  return () => Promise.resolve(outcomes.shift()!);
}

describe('a send of several records', () => {
  const three: NextOperation = {
    do: 'send',
    records: [
      { topic: 't', partition: 0, value: 1, key: 'k' },
      { topic: 't', partition: 1, value: 2 },
      { topic: 'u', partition: 0, value: 3 },
    ],
  };

  it('is one operation: invoked with all of them, completed with the place of each', async () => {
    const sent = [
      { partition: 0, offset: 5 },
      { partition: 1, offset: null },
      { partition: 0, offset: 7 },
    ];
    const { drafts, tally, run } = interpret({
      scripts: [script('producer', [three])],
      send: answers([ok(...sent)]),
    });
    await run(500);
    expect(drafts.map(({ value }) => value)).toEqual([
      [
        ['send', 't/0', 1, { key: 'k' }],
        ['send', 't/1', 2],
        ['send', 'u/0', 3],
      ],
      [
        ['send', 't/0', [5, 1], { key: 'k' }],
        ['send', 't/1', [null, 2]],
        ['send', 'u/0', [7, 3]],
      ],
    ]);
    expect(tally.acknowledged).toBe(3);
    expect([...tally.acknowledgedInvocation]).toEqual([
      ['t/0', 0],
      ['t/1', 0],
      ['u/0', 0],
    ]);
  });

  it('is counted by its records whatever its outcome', async () => {
    const { tally, run } = interpret({
      scripts: [script('producer', [three, { ...three }])],
      send: answers([fail, info]),
    });
    await run(2_000);
    expect(tally).toMatchObject({ acknowledged: 0, failed: 3, uncertain: 3 });
    expect(tally.acknowledgedInvocation.size).toBe(0);
  });
});

describe('a send that leaves the partition to the client', () => {
  const chosen = (value: number): NextOperation => ({
    do: 'send',
    records: [{ topic: 't', partition: null, value }],
  });

  it('names the topic alone until it is acknowledged', async () => {
    const { drafts, tally, run } = interpret({
      scripts: [script('producer', [chosen(1), chosen(2)])],
      send: answers([ok({ partition: 2, offset: 9 }), info]),
    });
    await run(2_000);
    expect(drafts.map(({ type, value }) => [type, value])).toEqual([
      ['invoke', [['send', 't', 1]]],
      ['ok', [['send', 't/2', [9, 1]]]],
      ['invoke', [['send', 't', 2]]],
      ['info', [['send', 't', 2]]],
    ]);
    expect(tally).toMatchObject({ acknowledged: 1, uncertain: 1 });
    expect([...tally.acknowledgedInvocation.keys()]).toEqual(['t/2']);
  });
});

describe('producers of one session', () => {
  const zero = ok({ partition: 0, offset: 0 });

  it('go on with the same client after fail and info, under a new process number after info', async () => {
    const { drafts, created, disposed, tally, run } = interpret({
      scripts: [script('producer', [send(1), send(2), send(3)], 's')],
      send: answers([fail, info, zero]),
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
    expect(drafts.map(({ session }) => session)).toEqual(Array(6).fill('s'));
    expect(created).toEqual(['session-s-1']);
    expect(disposed).toEqual(created);
    expect(tally).toMatchObject({ clientsReplaced: 0, retiring: 0 });
  });

  it('share one client, with as many sends open at once as there are workers', async () => {
    let open = 0;
    let openMax = 0;
    const plan = interpret({
      scripts: [
        script('producer', [send(1)], 's'),
        script('producer', [send(2)], 's'),
        script('producer', [send(3)]),
      ],
      send: async () => {
        open += 1;
        openMax = Math.max(openMax, open);
        await plan.clock.sleep(50);
        open -= 1;
        return zero;
      },
    });
    await plan.run(500);
    expect(openMax).toBe(3);
    expect(plan.created).toEqual(['session-s-1', 'producer-2-1']);
    expect(plan.drafts.slice(0, 3).map(({ process, session }) => [process, session])).toEqual([
      [0, 's'],
      [1, 's'],
      [2, undefined],
    ]);
  });

  it('retire their client when the last of them has stopped, once', async () => {
    const slow = interpret({
      scripts: [script('producer', [send(1)], 's'), script('producer', [send(2)], 's')],
      send: async ([request]) => {
        await slow.clock.sleep(request?.value === 1 ? 100 : 900);
        return zero;
      },
    });
    await slow.clock.drive(slow.interpreter.connect());
    const running = slow.interpreter.run();
    slow.clock.after(50, () => {
      slow.stop.abort();
    });
    await slow.clock.driveUntil(800);
    expect(slow.tally.retiring).toBe(0);
    expect(slow.disposed).toEqual([]);
    await slow.clock.drive(running);
    await slow.clock.drive(slow.clock.sleep(200));
    expect(slow.disposed).toEqual(['session-s-1']);
  });

  it('all wait while their client cannot be created', async () => {
    let attempts = 0;
    const { clock, created, interpreter } = interpret({
      scripts: [script('producer', [], 's'), script('producer', [], 's')],
      create: () => {
        attempts += 1;
        return attempts < 3 ? Promise.reject(new Error('down')) : Promise.resolve();
      },
    });
    expect(await clock.drive(interpreter.connect())).toBeNull();
    expect(clock.nowNs()).toBe(600e6);
    expect(attempts).toBe(3);
    expect(created).toEqual(['session-s-3']);
  });

  it('say why they have no client when they are stopped before', async () => {
    const { clock, interpreter, stop } = interpret({
      scripts: [script('producer', [], 's'), script('producer', [], 's')],
      create: () => Promise.reject(new Error('down')),
    });
    clock.after(1_000, () => {
      stop.abort();
    });
    expect(await clock.drive(interpreter.connect())).toBe('down');
  });
});
