import { describe, expect, it } from 'vitest';
import { Kernel } from '../../../../src/clusters/simulated/kernel.ts';
import { NodeProcess } from '../../../../src/clusters/simulated/node-process.ts';
import { nsPerMs } from '../../../../src/core/units.ts';
import { advance } from '../../../support/model-cluster.ts';

function running(driftPpm = 0): { readonly kernel: Kernel; readonly process: NodeProcess } {
  const kernel = new Kernel();
  const process = new NodeProcess(1, kernel, driftPpm);
  process.begin();
  return { kernel, process };
}

describe('a frozen process', () => {
  it('handles on resume what came meanwhile, messages and timers in the order in which they came', () => {
    const { kernel, process } = running();
    const handled: string[] = [];
    process.after(20, () => handled.push('timer'));
    process.freeze();
    expect(process.state()).toMatchObject({ running: true, frozen: true });
    advance(kernel, 10);
    process.receive(() => handled.push('early message'));
    advance(kernel, 20);
    process.receive(() => handled.push('late message'));
    expect(handled).toEqual([]);
    process.thaw();
    expect(handled).toEqual(['early message', 'timer', 'late message']);
    process.thaw();
    expect(handled).toHaveLength(3);
    process.receive(() => handled.push('at once'));
    expect(handled.at(-1)).toBe('at once');
  });

  it('runs a repeated timer once on resume, not once for each interval that it missed', () => {
    const { kernel, process } = running();
    let ticks = 0;
    process.every(10, () => {
      ticks += 1;
    });
    advance(kernel, 25);
    expect(ticks).toBe(2);
    process.freeze();
    advance(kernel, 100);
    process.thaw();
    expect(ticks).toBe(3);
    advance(kernel, 10);
    expect(ticks).toBe(4);
  });

  it('that dies takes with it what waited, also when the first of it ends the process', () => {
    const { process } = running();
    const handled: string[] = [];
    process.freeze();
    process.receive(() => {
      handled.push('stop');
      process.end(143);
    });
    process.receive(() => handled.push('never'));
    process.thaw();
    expect(handled).toEqual(['stop']);
    process.begin();
    process.freeze();
    process.receive(() => handled.push('never'));
    process.end(137);
    process.thaw();
    process.begin();
    process.thaw();
    expect(handled).toEqual(['stop']);
  });
});

describe('a dead process', () => {
  it('receives nothing, and its timers do not fire in its next life', () => {
    const { kernel, process } = running();
    const handled: string[] = [];
    process.after(10, () => handled.push('of the first life'));
    process.every(10, () => handled.push('of the first life'));
    process.end(137);
    process.receive(() => handled.push('lost'));
    expect(process.state()).toEqual({ running: false, frozen: false, exitCode: 137, starts: 1 });
    process.freeze();
    expect(process.frozen).toBe(false);
    process.begin();
    process.after(10, () => handled.push('of the second life'));
    advance(kernel, 50);
    expect(handled).toEqual(['of the second life']);
    expect(process.state()).toEqual({ running: true, frozen: false, exitCode: null, starts: 2 });
    expect(process.incarnation).toBe(2);
  });
});

it.each([
  [500, 1_000.5],
  [-500, 999.5],
])('a clock that is off by %d ppm fires a second after %d ms', (driftPpm, ms) => {
  const { kernel, process } = running(driftPpm);
  let firedNs = 0;
  process.after(1_000, () => {
    firedNs = kernel.nowNs;
  });
  advance(kernel, 1_001);
  expect(firedNs).toBe(ms * nsPerMs);
});
