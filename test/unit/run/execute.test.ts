import { beforeAll, describe, expect, it } from 'vitest';
import { nemeses } from '../../../nemeses/index.ts';
import { pause } from '../../../nemeses/pause.ts';
import { OrdealError } from '../../../src/core/errors.ts';
import type { AuditCompleted, HistoryEvent } from '../../../src/history/event.ts';
import { nsPerMs } from '../../../src/core/units.ts';
import type { Nemesis, ScheduledFault } from '../../../src/spi/nemesis.ts';
import { executeRun, type RunOutcome } from '../../../src/run/execute.ts';
import type { RunOptions } from '../../../src/run/options.ts';
import { createFakeRun, fakeOptions, type FakeRun } from '../../support/fake-cluster-run.ts';

const never = new AbortController().signal;
const leader = { role: 'leader', topic: 'orders', partition: 0 } as const;
const allPhases = ['set-up', 'faults', 'heal', 'recovery', 'drain', 'audit', 'tear-down'];

const pauseFault: ScheduledFault = {
  id: 'f1',
  nemesis: 'pause',
  atMs: 2_000,
  durationMs: 5_000,
  plan: { target: leader, variant: 'freeze' },
};
const cutFault: ScheduledFault = {
  id: 'f2',
  nemesis: 'partition',
  atMs: 12_000,
  durationMs: 5_000,
  plan: { target: leader, variant: 'isolate' },
};

function execute(run: FakeRun, options: Partial<RunOptions>, interrupt = never) {
  const whole = { ...fakeOptions, ...options };
  return run.clock.drive(executeRun(whole, '/run', run.parts, run.progress, interrupt));
}

function observed(run: FakeRun, f: string): HistoryEvent[] {
  return run.events.filter((event) => event.type === 'event' && event.f === f);
}

function phases(run: FakeRun): unknown[] {
  return observed(run, 'phase').map((event) => (event.value as { phase: string }).phase);
}

function indexOf(run: FakeRun, text: string): number {
  const index = run.cluster.trace.indexOf(text);
  expect(index, `${text} in ${run.cluster.trace.join(', ')}`).toBeGreaterThanOrEqual(0);
  return index;
}

describe('a run with two faults', () => {
  let run: FakeRun;
  let outcome: RunOutcome;
  beforeAll(async () => {
    run = createFakeRun();
    outcome = await execute(run, {
      faults: ['pause', 'partition'],
      schedule: [pauseFault, cutFault],
      claims: ['durability'],
    });
  });

  it('ends without failure, in the order of the phases', () => {
    expect(outcome).toEqual({ history: '/run/history.jsonl', interrupted: null, failure: null });
    expect(phases(run)).toEqual(allPhases);
    expect(run.recorderTrouble.closed).toBe(true);
  });

  it('writes the header before anything starts', () => {
    expect(run.headers).toEqual([
      {
        ordeal: 1,
        run: 'log-run',
        started: '1970-01-01T00:00:00.000Z',
        seed: 'fake',
        system: { name: 'fake', version: '0' },
        claims: ['durability'],
        faults: ['pause', 'partition'],
        config: { acks: 'all' },
        topics: { orders: { partitions: 3, cleanup: 'delete', writers: 'recorded' } },
        clock: { errorNs: 0 },
        recoveryMs: 30_000,
      },
    ]);
  });

  it('writes options, schedule and seed', () => {
    expect(JSON.parse(run.files.get('schedule.json') ?? '')).toEqual([pauseFault, cutFault]);
    expect(run.files.get('seed.txt')).toBe('fake\n');
    expect(JSON.parse(run.files.get('options.json') ?? '')).toMatchObject({ ratePerSecond: 50 });
  });

  it('has the undo on disk before it injects, and says when it was undone', () => {
    expect(indexOf(run, 'undo plan f1')).toBe(indexOf(run, 'pause node-1') - 1);
    expect(indexOf(run, 'undo done f1')).toBeGreaterThan(indexOf(run, 'resume node-1'));
    expect(indexOf(run, 'undo plan f2')).toBe(indexOf(run, 'cut f2') - 1);
    expect(indexOf(run, 'undo done f2')).toBeGreaterThan(indexOf(run, 'heal f2'));
  });

  it('records each fault and its heal with evidence', () => {
    const steps = run.events
      .filter((event) => event.process === 'nemesis:pause' && event.type !== 'invoke')
      .map(({ f, type, value }) => {
        const { evidence } = value as { evidence: { tookEffect: unknown } };
        return [f, type, evidence.tookEffect];
      });
    expect(steps).toEqual([
      ['pause', 'ok', true],
      ['heal', 'ok', true],
    ]);
  });

  it('lets a fault stand as long as drawn, evidence included', () => {
    const [invoke, , heal] = run.events.filter((event) => event.process === 'nemesis:pause');
    const stoodMs = ((heal?.time ?? 0) - (invoke?.time ?? 0)) / 1e6;
    expect(stoodMs).toBeGreaterThanOrEqual(5_000);
    expect(stoodMs).toBeLessThan(5_100);
  });

  it('records the first leader of each log, and each change once', () => {
    const values = observed(run, 'leader').map((event) => event.value);
    expect(values.slice(0, 3)).toEqual([
      { log: 'orders/0', leader: 1, leaderEpoch: 0 },
      { log: 'orders/1', leader: 2, leaderEpoch: 0 },
      { log: 'orders/2', leader: 3, leaderEpoch: 0 },
    ]);
    expect(values.length).toBeGreaterThan(3);
    expect(new Set(values.map((value) => JSON.stringify(value))).size).toBe(values.length);
  });

  it('gives leadership back to the preferred replica before the next fault', () => {
    expect(indexOf(run, 'elect')).toBeGreaterThan(indexOf(run, 'resume node-1'));
    expect(indexOf(run, 'elect')).toBeLessThan(indexOf(run, 'cut f2'));
  });

  it('recovers only after each log acknowledged what was invoked after the last heal', () => {
    const start = (phase: string) =>
      observed(run, 'phase').find((event) => (event.value as { phase: string }).phase === phase);
    const lastHeal = observed(run, 'heal-all')[0]?.index ?? Infinity;
    const drain = start('drain')?.index ?? -1;
    for (const log of ['orders/0', 'orders/1', 'orders/2']) {
      const invoked = run.events.find(
        (event) => event.index > lastHeal && event.type === 'invoke' && isSendTo(event, log),
      );
      const acknowledged = run.events.find(
        (event) =>
          event.index > (invoked?.index ?? Infinity) &&
          event.process === invoked?.process &&
          event.type === 'ok',
      );
      expect(acknowledged?.index, log).toBeLessThan(drain);
    }
  });

  it('audits every log from start to end, by every view and replica', () => {
    const chunks = run.events
      .filter((event) => event.f === 'audit' && event.type === 'ok')
      .map((event) => event.value as AuditCompleted);
    const ended = chunks.filter((chunk) => chunk.next >= chunk.end).map((chunk) => chunk.scan);
    const expected = [0, 1, 2].flatMap((partition) => {
      const prefix = `final/orders/${partition}`;
      const replicas = [1, 2, 3].map((replica) => `${prefix}/uncommitted/${replica}`);
      return [`${prefix}/committed`, `${prefix}/raw`, ...replicas];
    });
    expect(ended.sort()).toEqual(expected.sort());
    expect(observed(run, 'abandoned').map((event) => event.value)).toEqual([
      { total: 0, unsettled: 0, retiring: 0, clientErrors: 0 },
    ]);
  });

  it('goes on under a new process number after info, and with a new client', () => {
    const infos = run.events.filter((event) => event.f === 'send' && event.type === 'info');
    expect(infos.length).toBeGreaterThan(0);
    // Three producers, two readers and the auditor: six client processes.
    for (const { process, index } of infos) {
      const after = run.events.filter((event) => event.index > index);
      expect(after.some((event) => event.process === process)).toBe(false);
      expect(after.some((event) => event.process === Number(process) + 6)).toBe(true);
    }
    const producers = run.connections.created.filter((name) => name.startsWith('producer-'));
    expect(producers).toHaveLength(3 + infos.length);
    expect(new Set(run.connections.created).size).toBe(run.connections.created.length);
  });

  it('tears down in order', () => {
    expect(run.cluster.trace.slice(-3)).toEqual(['heal-all', 'collect /run/logs', 'remove']);
    expect(run.connections.disposed).toContain('connections');
  });

  it('tells its counters', () => {
    const last = run.snapshots.at(-1);
    const acknowledged = run.events.filter((event) => event.f === 'send' && event.type === 'ok');
    expect(last?.faultsInjected).toBe(2);
    expect(last?.acknowledged).toBeGreaterThan(400);
    expect(last?.acknowledged).toBeLessThanOrEqual(acknowledged.length);
    expect(run.snapshots.some(({ standing }) => standing[0] === 'f1 pause freeze node-1')).toBe(
      true,
    );
  });
});

function isSendTo(event: HistoryEvent, log: string): boolean {
  return event.f === 'send' && (event.value as [string, string][])[0]?.[1] === log;
}

describe('a heal that takes longer than planned', () => {
  it('keeps the next fault back until it is done, beyond the phase if need be', async () => {
    const slow: Nemesis = {
      ...pause,
      heal: async (context, injected) => {
        await context.clock.sleep(15_000);
        return pause.heal(context, injected);
      },
    };
    const run = createFakeRun({ nemeses: new Map([...nemeses, ['pause', slow]]) });
    await execute(run, { faults: ['pause', 'partition'], schedule: [pauseFault, cutFault] });
    const steps = run.events
      .filter(({ process }) => String(process).startsWith('nemesis:'))
      .map(({ process, type, f }) => `${String(process).slice(8)} ${f} ${type}`);
    expect(steps).toEqual([
      'pause pause invoke',
      'pause pause ok',
      'pause heal invoke',
      'pause heal ok',
      'partition partition invoke',
      'partition partition ok',
      'partition heal invoke',
      'partition heal ok',
    ]);
    const began = run.events.find(({ f }) => f === 'partition');
    expect(began?.time).toBeGreaterThan(20_000 * nsPerMs);
  });

  it('keeps nothing back that the plan lets overlap', async () => {
    const run = createFakeRun();
    const overlapping = { ...cutFault, atMs: 4_000 };
    await execute(run, { faults: ['pause', 'partition'], schedule: [pauseFault, overlapping] });
    const indexOf = (f: string): number => run.events.findIndex((event) => event.f === f);
    expect(indexOf('partition')).toBeLessThan(indexOf('heal'));
  });
});

describe('an interrupt', () => {
  it('in the middle of a fault heals it first, audits, and injects no more', async () => {
    const run = createFakeRun();
    const interrupt = new AbortController();
    // Set-up takes 4 s and the fault begins 2 s later.
    run.clock.after(8_000, () => {
      interrupt.abort('SIGTERM');
    });
    const schedule = [pauseFault, cutFault];
    const outcome = await execute(run, { faults: ['pause'], schedule }, interrupt.signal);
    expect(outcome).toMatchObject({ interrupted: 'SIGTERM', failure: null });
    expect(phases(run)).toEqual(allPhases.filter((phase) => phase !== 'recovery'));
    expect(run.cluster.trace).not.toContain('cut f2');
    expect(observed(run, 'interrupted').map((event) => event.value)).toEqual([
      { signal: 'SIGTERM' },
    ]);
    const heal = run.events.find((event) => event.f === 'heal');
    expect((heal?.time ?? 0) / 1e6).toBeLessThan(8_050);
    expect(run.events.some((event) => event.f === 'audit' && event.type === 'ok')).toBe(true);
    expect(run.cluster.state(1).frozen).toBe(false);
    expect(run.cluster.trace.at(-1)).toBe('remove');
  });

  it('repeated, leaves out drain and audit, but not the healing', async () => {
    const hurry = new AbortController();
    const interrupt = new AbortController();
    const run = createFakeRun({ hurry: hurry.signal });
    run.clock.after(8_000, () => {
      interrupt.abort('SIGINT');
      hurry.abort();
    });
    const outcome = await execute(run, { schedule: [pauseFault] }, interrupt.signal);
    expect(outcome).toMatchObject({ interrupted: 'SIGINT', failure: null });
    expect(run.events.some((event) => event.f === 'audit')).toBe(false);
    expect(run.cluster.state(1).frozen).toBe(false);
    expect(run.cluster.trace.at(-1)).toBe('remove');
    expect(run.recorderTrouble.closed).toBe(true);
  });

  it('during set-up removes what was started', async () => {
    const run = createFakeRun();
    const interrupt = new AbortController();
    run.clock.after(1_000, () => {
      interrupt.abort('SIGINT');
    });
    const outcome = await execute(run, {}, interrupt.signal);
    expect(outcome).toMatchObject({ interrupted: 'SIGINT', failure: null });
    expect(phases(run)).toEqual(['set-up', 'tear-down']);
    // The start was still under way: what it made after the first removal is removed too.
    expect(run.cluster.trace.filter((what) => what === 'remove')).toHaveLength(2);
  });
});

describe('a failure', () => {
  it('to record heals everything and tears down', async () => {
    const run = createFakeRun();
    const full = new OrdealError('RECORDER_IO', 'disk full', 'make room');
    run.clock.after(8_000, () => {
      run.recorderTrouble.error = full;
    });
    const outcome = await execute(run, { schedule: [pauseFault] });
    expect(outcome.failure).toBe(full);
    expect(run.cluster.state(1).frozen).toBe(false);
    expect(run.cluster.trace.slice(-3)).toEqual(['heal-all', 'collect /run/logs', 'remove']);
    expect(run.recorderTrouble.closed).toBe(true);
    expect(run.clock.nowNs() / 1e6).toBeLessThan(20_000);
  });

  it('to tell a line heals everything and tears down, from whatever moment on', async () => {
    for (const fromMs of [0, 8_000]) {
      const run = createFakeRun();
      const full = new Error('no space left on device');
      let isFull = fromMs === 0;
      run.clock.after(fromMs, () => {
        isFull = true;
      });
      const line = (text: string): void => {
        if (isFull) throw full;
        run.progress.line(text);
      };
      const progress = { ...run.progress, line };
      const outcome = await execute({ ...run, progress }, { schedule: [pauseFault] });
      expect(outcome.failure).toBe(full);
      expect(run.cluster.state(1).frozen).toBe(false);
      expect(run.cluster.trace.at(-1)).toBe('remove');
      expect(run.recorderTrouble.closed).toBe(true);
    }
  });

  it('to start the cluster tears down and comes back as the failure', async () => {
    const run = createFakeRun();
    const broken = new OrdealError('DOCKER_FAILED', 'no', 'start it');
    run.cluster.failing.set('start', broken);
    const outcome = await execute(run, {});
    expect(outcome.failure).toBe(broken);
    expect(run.cluster.trace).toEqual(['start', 'collect /run/logs', 'remove']);
    expect(phases(run)).toEqual(['set-up', 'tear-down']);
  });

  it('of a nemesis is recorded as info, undone all the same, and ends nothing', async () => {
    const run = createFakeRun();
    run.cluster.failing.set('pause', new Error('freezer is broken'));
    const outcome = await execute(run, { schedule: [pauseFault] });
    expect(outcome.failure).toBeNull();
    const ended = run.events.find((event) => event.f === 'pause' && event.type === 'info');
    expect(ended?.value).toMatchObject({
      evidence: { tookEffect: 'unknown', reason: 'freezer is broken' },
    });
    expect(run.cluster.trace).toContain('resume node-1');
    expect(phases(run)).toEqual(allPhases);
  });

  it('of the undo journal ends the run before anything is hurt', async () => {
    const full = new OrdealError('STORE_IO', 'disk full', 'make room');
    const run = createFakeRun();
    const files = run.parts.files;
    const parts = { ...run.parts, files: { ...files!, appendLine: () => Promise.reject(full) } };
    const outcome = await execute({ ...run, parts }, { schedule: [pauseFault] });
    expect(outcome.failure).toBe(full);
    expect(run.cluster.trace).not.toContain('pause node-1');
    expect(run.cluster.trace.slice(-3)).toEqual(['heal-all', 'collect /run/logs', 'remove']);
  });

  it('of one step of the tear-down does not keep the others from being done', async () => {
    const run = createFakeRun();
    run.cluster.failing.set('collectLogs', new Error('no logs'));
    const outcome = await execute(run, {});
    expect(outcome.failure?.message).toBe('no logs');
    expect(run.cluster.trace.at(-1)).toBe('remove');
  });

  it('that is known beforehand is thrown before anything starts', async () => {
    const run = createFakeRun();
    const schedule = [{ ...pauseFault, nemesis: 'earthquake' }];
    await expect(execute(run, { schedule })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    const { admin } = run.cluster.ports;
    const parts = { ...run.parts, cluster: { ...run.cluster, ports: { admin: admin! } } };
    await expect(execute({ ...run, parts }, { schedule: [pauseFault] })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
    expect(run.cluster.trace).toEqual([]);
    expect(run.headers).toEqual([]);
  });
});

describe('a cluster that stays hurt', () => {
  it('is not audited: an acknowledged record may be invisible before all replicas are in sync', async () => {
    const run = createFakeRun();
    const limits = { ...fakeOptions.limits, faultsMs: 5_000, recoveryMs: 5_000, auditMs: 5_000 };
    run.clock.after(6_000, () => {
      Object.assign(run.cluster.logs.get('orders/0')!, { inSync: [1, 2], stuck: true });
    });
    const outcome = await execute(run, { limits });
    expect(outcome.failure).toBeNull();
    expect(run.events.some((event) => event.f === 'audit')).toBe(false);
    expect(observed(run, 'audit-skipped').map((event) => event.value)).toEqual([
      { missing: ['orders/0 in sync'] },
    ]);
    expect(run.lines).toContain('not recovered within 5000 ms: orders/0 in sync');
  });
});

describe('--leave-running', () => {
  it('collects logs and removes nothing', async () => {
    const run = createFakeRun();
    await execute(run, { leaveRunning: true });
    expect(run.cluster.trace.at(-1)).toBe('collect /run/logs');
  });
});
