import { describe, expect, it } from 'vitest';
import { checkHistory } from '../../../checkers/index.ts';
import type { HistoryEvent } from '../../../src/history/event.ts';
import { loadHistoryText } from '../../../src/history/load-text.ts';
import { eventLine, headerLine } from '../../../src/history/write.ts';
import { executeRun } from '../../../src/run/execute.ts';
import type { ScheduledFault } from '../../../src/spi/nemesis.ts';
import { plainSends, type SendStyle } from '../../../src/spi/workload.ts';
import { createFakeRun, fakeOptions, type FakeRun } from '../../support/fake-cluster-run.ts';

/** Longer than the operation timeout, so that some sends end uncertain. */
const pause: ScheduledFault = {
  id: 'f1',
  nemesis: 'pause',
  atMs: 2_000,
  durationMs: 8_000,
  plan: { target: { role: 'leader', topic: 'orders', partition: 0 }, variant: 'freeze' },
};

async function runWith(style: Partial<SendStyle>): Promise<FakeRun> {
  const run = createFakeRun();
  const sends: SendStyle = { ...plainSends, ...style };
  const options = { ...fakeOptions, concurrency: 4, sends, faults: ['pause'], schedule: [pause] };
  const never = new AbortController().signal;
  const running = executeRun(options, '/run', run.parts, run.progress, never);
  expect(await run.clock.drive(running)).toMatchObject({ failure: null });
  return run;
}

function verdictOf(run: FakeRun): unknown {
  const lines = [headerLine(run.headers[0]!), ...run.events.map(eventLine)];
  return checkHistory(loadHistoryText(`${lines.join('\n')}\n`, 'the run')).valid;
}

function sendsOf(run: FakeRun, type: HistoryEvent['type']): HistoryEvent[] {
  return run.events.filter((event) => event.f === 'send' && event.type === type);
}

function producersOf(run: FakeRun): string[] {
  return run.connections.created.filter((name) => !name.startsWith('reader'));
}

describe('a run whose producers', () => {
  it('send plainly records no session', async () => {
    const run = await runWith({});
    expect(sendsOf(run, 'invoke').filter(({ session }) => session !== undefined)).toEqual([]);
    expect(verdictOf(run)).toBe(true);
  });

  it('put several records in a call is judged like any other', async () => {
    const run = await runWith({ recordsPerSendMax: 4 });
    const sizes = sendsOf(run, 'ok').map(({ value }) => (value as unknown[]).length);
    expect(new Set(sizes)).toEqual(new Set([1, 2, 3, 4]));
    expect(verdictOf(run)).toBe(true);
  });

  it('leave the partition to the client still waits for every log to recover', async () => {
    const run = await runWith({ partition: 'client' });
    expect(sendsOf(run, 'invoke')[0]?.value).toEqual([['send', 'orders', 2 ** 32]]);
    const logs = sendsOf(run, 'ok').map(({ value }) => (value as [string, string][])[0]?.[1]);
    expect(new Set(logs)).toEqual(new Set(['orders/0', 'orders/1', 'orders/2']));
    expect(run.lines.filter((line) => line.includes('not recovered'))).toEqual([]);
    expect(verdictOf(run)).toBe(true);
  });

  it('go on after failures keeps one client each', async () => {
    const run = await runWith({ afterFailure: 'continue' });
    expect(sendsOf(run, 'info').length).toBeGreaterThan(0);
    expect(producersOf(run)).toEqual([1, 2, 3, 4].map((n) => `session-producer-${n}-1`));
    expect(verdictOf(run)).toBe(true);
  });

  it('share a client does all of that at once', async () => {
    const run = await runWith({ recordsPerSendMax: 3, partition: 'client', sharedBy: 2 });
    expect(producersOf(run)).toEqual(['session-producer-1-1', 'session-producer-2-1']);
    const sessions = sendsOf(run, 'ok').map(({ session }) => session);
    expect(new Set(sessions)).toEqual(new Set(['producer-1', 'producer-2']));
    expect(run.connections.disposed).toEqual(expect.arrayContaining(producersOf(run)));
    expect(verdictOf(run)).toBe(true);
  });
});
