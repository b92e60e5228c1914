import { describe, expect, it } from 'vitest';
import { withDeadline } from '../../../src/core/bounded.ts';
import { createRealClock } from '../../../src/core/clock.ts';

const clock = createRealClock();

describe('withDeadline', () => {
  it('gives the value of a promise that is in time', async () => {
    const bounded = await withDeadline(clock, 10_000, Promise.resolve(5));
    expect(bounded).toEqual({ status: 'done', value: 5 });
  });

  it('gives the error of a promise that rejects in time', async () => {
    const error = new Error('no');
    const bounded = await withDeadline(clock, 10_000, Promise.reject(error));
    expect(bounded).toEqual({ status: 'failed', error });
  });

  it('is late when nothing arrives, and swallows what comes afterwards', async () => {
    let reject: (error: Error) => void = () => undefined;
    const never = new Promise<never>((_, rejectIt) => {
      reject = rejectIt;
    });
    expect(await withDeadline(clock, 5, never)).toEqual({ status: 'late' });
    reject(new Error('too late to matter'));
    await clock.turn();
  });

  it('looks once more after the deadline: what had arrived behind a busy loop is not late', async () => {
    const arrived = new Promise<string>((resolve) => {
      setTimeout(() => {
        setImmediate(() => {
          resolve('answer');
        });
      }, 5);
    });
    const bounded = withDeadline(clock, 1, arrived);
    const busyUntilNs = clock.nowNs() + 20_000_000;
    while (clock.nowNs() < busyUntilNs);
    expect(await bounded).toEqual({ status: 'done', value: 'answer' });
  });
});
