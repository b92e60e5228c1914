import { describe, expect, it } from 'vitest';
import { openScope, untilAborted, type PhaseBounds } from '../../../src/run/phase-scope.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

function open(bounds: PhaseBounds) {
  const clock = createVirtualClock();
  const interrupt = new AbortController();
  const hurry = new AbortController();
  const failure = new AbortController();
  const signals = {
    clock,
    interrupt: interrupt.signal,
    hurry: hurry.signal,
    failure: failure.signal,
  };
  return { clock, interrupt, hurry, failure, signals, scope: openScope(signals, bounds) };
}

describe('openScope', () => {
  it('ends at its limit and not before', async () => {
    const { clock, scope } = open({ limitMs: 1_000, interruptedLimitMs: 10 });
    await clock.driveUntil(999);
    expect(scope.signal.aborted).toBe(false);
    expect(scope.remainingMs()).toBe(1);
    await clock.driveUntil(1_000);
    expect(scope.signal.aborted).toBe(true);
    expect(scope.remainingMs()).toBe(0);
  });

  it('has its shorter limit left from the moment of an interrupt', async () => {
    const { clock, interrupt, scope } = open({ limitMs: 1_000, interruptedLimitMs: 100 });
    await clock.driveUntil(200);
    interrupt.abort();
    expect(scope.remainingMs()).toBe(100);
    await clock.driveUntil(299);
    expect(scope.signal.aborted).toBe(false);
    await clock.driveUntil(300);
    expect(scope.signal.aborted).toBe(true);
  });

  it('never grows by an interrupt, and honours one that came before', async () => {
    const { clock, signals, interrupt, scope } = open({ limitMs: 50, interruptedLimitMs: 100 });
    interrupt.abort();
    await clock.driveUntil(50);
    expect(scope.signal.aborted).toBe(true);
    expect(openScope(signals, { limitMs: 500, interruptedLimitMs: 100 }).remainingMs()).toBe(100);
    expect(openScope(signals, { limitMs: 500, interruptedLimitMs: 0 }).signal.aborted).toBe(true);
  });

  it('ends at once on a second interrupt or a failure, unless it goes on', () => {
    const plain = { limitMs: 1_000, interruptedLimitMs: 100 };
    for (const event of ['hurry', 'failure'] as const) {
      for (const goesOn of [undefined, 'after-failure', 'always'] as const) {
        const opened = open(goesOn === undefined ? plain : { ...plain, goesOn });
        opened[event].abort();
        const ends = goesOn === undefined || (goesOn === 'after-failure' && event === 'hurry');
        expect(opened.scope.signal.aborted, `${event} ${goesOn ?? ''}`).toBe(ends);
      }
    }
  });

  it('leaves no timer behind', async () => {
    const { clock, scope } = open({ limitMs: 1_000, interruptedLimitMs: 100 });
    scope[Symbol.dispose]();
    await clock.driveUntil(2_000);
    expect(scope.signal.aborted).toBe(false);
  });
});

describe('untilAborted', () => {
  it('gives what came in time, and cuts what did not', async () => {
    const abort = new AbortController();
    const given = await untilAborted(abort.signal, Promise.resolve(7));
    expect(given).toEqual({ status: 'done', value: 7 });
    const hanging = untilAborted(abort.signal, new Promise<number>(() => undefined));
    abort.abort();
    expect(await hanging).toEqual({ status: 'cut' });
    expect(await untilAborted(abort.signal, Promise.reject(new Error('late')))).toEqual({
      status: 'cut',
    });
  });

  it('rejects as the promise does', async () => {
    const { signal } = new AbortController();
    await expect(untilAborted(signal, Promise.reject(new Error('no')))).rejects.toThrow('no');
  });
});
