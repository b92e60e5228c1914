import { describe, expect, it } from 'vitest';
import { createVirtualClock, Kernel } from '../../../../src/clusters/simulated/kernel.ts';
import { randomStream } from '../../../../src/core/random.ts';
import { nsPerMs } from '../../../../src/core/units.ts';

/** Runs all events of the model, and those that wake, until none is left. */
function runAll(kernel: Kernel): void {
  while (kernel.turn());
}

describe('the queue of events', () => {
  it('is in the order of times, and at one time in that of scheduling', () => {
    const kernel = new Kernel();
    const ran: string[] = [];
    kernel.after(20, () => ran.push('late'));
    kernel.after(10, () => {
      ran.push('first');
      kernel.after(0, () => ran.push('third'));
    });
    kernel.after(10, () => ran.push('second'));
    runAll(kernel);
    expect(ran).toEqual(['first', 'second', 'third', 'late']);
    expect(kernel.nowNs).toBe(20);
  });

  it('keeps that order with thousands of events, most of them cancelled', () => {
    const kernel = new Kernel();
    const random = randomStream('1', 'events');
    const kept: (readonly [number, number])[] = [];
    const ran: (readonly [number, number])[] = [];
    for (let order = 0; order < 4_000; order++) {
      const at = random.below(500);
      const event = kernel.after(at, () => ran.push([at, order]));
      if (random.chance(3, 4)) kernel.cancel(event);
      else kept.push([at, order]);
    }
    runAll(kernel);
    expect(ran).toEqual(kept.sort(([a, first], [b, second]) => a - b || first - second));
  });

  it('a cancelled event does not run, however often it is cancelled, nor one that has run again', () => {
    const kernel = new Kernel();
    const ran: string[] = [];
    const cancelled = kernel.after(5, () => ran.push('cancelled'));
    const done = kernel.after(1, () => ran.push('done'));
    kernel.after(2, () => {
      kernel.cancel(done);
      kernel.cancel(cancelled);
      kernel.cancel(cancelled);
    });
    runAll(kernel);
    expect(ran).toEqual(['done']);
    // Time does not go on for what will not happen.
    expect(kernel.nowNs).toBe(2);
  });

  it('a turn ends with the event that wakes, and not before it', () => {
    const kernel = new Kernel();
    const ran: string[] = [];
    kernel.after(1, () => ran.push('model'));
    kernel.wakeAfter(2, () => ran.push('wakes'));
    kernel.after(3, () => ran.push('next turn'));
    expect(kernel.turn()).toBe(true);
    expect(ran).toEqual(['model', 'wakes']);
    expect(kernel.turn()).toBe(false);
    expect(ran).toEqual(['model', 'wakes', 'next turn']);
  });
});

describe('drive', () => {
  it('runs the next event only when every promise that could go on has gone on', async () => {
    const kernel = new Kernel();
    const clock = createVirtualClock(kernel);
    const seen: string[] = [];
    const work = async (): Promise<string> => {
      await clock.sleep(1);
      for (let step = 0; step < 20; step++) await Promise.resolve();
      seen.push(`promises at ${clock.nowNs()}`);
      return 'result';
    };
    kernel.after(nsPerMs, () => seen.push('same time, scheduled first'));
    const working = work();
    kernel.after(nsPerMs, () => seen.push('model at the same time'));
    expect(await kernel.drive(working)).toBe('result');
    await kernel.drive(clock.sleep(1));
    expect(seen).toEqual([
      'same time, scheduled first',
      `promises at ${nsPerMs}`,
      'model at the same time',
    ]);
  });

  it('rejects when no event is left that could settle the promise', async () => {
    const kernel = new Kernel();
    kernel.after(5, () => undefined);
    await expect(kernel.drive(new Promise(() => undefined))).rejects.toThrow(/no event brings/);
    expect(kernel.nowNs).toBe(5);
  });

  it('hands over what the promise rejects with', async () => {
    const kernel = new Kernel();
    const failing = createVirtualClock(kernel)
      .sleep(1)
      .then(() => {
        throw new Error('broken');
      });
    await expect(kernel.drive(failing)).rejects.toThrow('broken');
  });

  it('goes through more turns than one pass of the event loop has', async () => {
    const kernel = new Kernel();
    const clock = createVirtualClock(kernel);
    const work = async (): Promise<void> => {
      for (let turn = 0; turn < 200; turn++) await clock.sleep(1);
    };
    await kernel.drive(work());
    expect(clock.wallMs()).toBe(200);
  });
});

describe('the virtual clock', () => {
  it('begins at the epoch, rounds waits up, and a cancelled timer never fires', async () => {
    const kernel = new Kernel();
    const clock = createVirtualClock(kernel);
    expect([clock.nowNs(), clock.wallMs()]).toEqual([0, 0]);
    let fired = false;
    clock
      .after(0.5, () => {
        fired = true;
      })
      .cancel();
    await kernel.drive(clock.sleep(0.000_000_1));
    expect(clock.nowNs()).toBe(1);
    await kernel.drive(clock.sleep(2));
    expect(fired).toBe(false);
    expect(clock.wallMs()).toBe(2);
    const before = clock.nowNs();
    await kernel.drive(clock.turn());
    expect(clock.nowNs()).toBe(before);
  });
});
