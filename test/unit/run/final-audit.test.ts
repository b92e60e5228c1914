import { describe, expect, it } from 'vitest';
import type { EventDraft } from '../../../src/history/recording.ts';
import type { AuditClient, AuditRequest, GroupOffsets, Outcome } from '../../../src/spi/client.ts';
import { runFinalAudit } from '../../../src/run/final-audit.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

type Answer = Awaited<ReturnType<AuditClient['chunk']>>;

const notReady: Outcome<never> = { type: 'fail', error: { code: 'NOT_READY', message: 'soon' } };
const hung: Outcome<never> = { type: 'info', error: { code: 'TIMEOUT', message: 'late' } };

function chunk(request: AuditRequest, next: number, end: number): Answer {
  const { log, view, from } = request;
  return { type: 'ok', value: { log, view, from, next, start: 0, end, records: [] } };
}

function audit(
  answer: (request: AuditRequest, call: number) => Answer,
  signal?: AbortSignal,
  groups: readonly string[] = [],
  groupAnswers: Outcome<GroupOffsets>[] = [],
  compacted = false,
) {
  const clock = createVirtualClock();
  const drafts: EventDraft[] = [];
  const requests: AuditRequest[] = [];
  const done = runFinalAudit(
    {
      clock,
      record: {
        append: (draft) => drafts.push(draft) - 1,
        observe: () => -1,
        close: () => Promise.resolve(),
      },
      auditor: {
        chunk: async (request) => {
          requests.push(request);
          await clock.sleep(1);
          return answer(request, requests.length);
        },
        committed: async () => {
          await clock.sleep(1);
          return groupAnswers.shift() ?? { type: 'ok', value: {} };
        },
        [Symbol.asyncDispose]: () => Promise.resolve(),
      },
      groups,
      logs: [{ log: 'orders/0', replicas: [3], compacted }],
      process: 5,
      processes: 6,
    },
    signal ?? new AbortController().signal,
  );
  return { clock, drafts, requests, done };
}

describe('the offsets of groups', () => {
  const nothing = (request: AuditRequest): Answer => chunk(request, 0, 0);
  const ofGroup = (drafts: readonly EventDraft[]) =>
    drafts
      .filter(({ f }) => f === 'committed')
      .map(({ process, type, value }) => [process, type, value]);

  it('are read last, and asked for again until the coordinator answers', async () => {
    const answers: Outcome<GroupOffsets>[] = [
      { type: 'fail', error: { code: 'NOT_COORDINATOR', message: '' } },
      { type: 'ok', value: { 'orders/0': 7 } },
    ];
    const { clock, drafts, done } = audit(nothing, undefined, ['g'], answers);
    expect(await clock.drive(done)).toEqual([]);
    const asked = { group: 'g', logs: ['orders/0'] };
    expect(ofGroup(drafts)).toEqual([
      [5, 'invoke', asked],
      [5, 'fail', asked],
      [5, 'invoke', asked],
      [5, 'ok', { group: 'g', offsets: { 'orders/0': 7 } }],
    ]);
    expect(drafts.at(-1)?.f).toBe('committed');
  });

  it('are named where nobody answers in time', async () => {
    const refused: Outcome<GroupOffsets> = { type: 'fail', error: { code: 'X', message: '' } };
    const answers = Array.from({ length: 100 }, () => refused);
    const { clock, done } = audit(nothing, undefined, ['g'], answers);
    expect(await clock.drive(done)).toEqual(['offsets of group g']);
  });
});

describe('the final audit', () => {
  it('reads on until the end that the first chunk measured, not the end as it grows', async () => {
    const { clock, requests, done } = audit((request, call) =>
      chunk(request, request.from + 4, 9 + call),
    );
    expect(await clock.drive(done)).toEqual([]);
    const committed = requests.filter((request) => request.view === 'committed');
    expect(committed.map((request) => request.from)).toEqual([0, 4, 8]);
    // The first end was 10: the third chunk reaches 12 and the scan is complete.
    expect(requests.at(-1)).toMatchObject({ view: 'uncommitted', replica: 3 });
  });

  it('records refusals and asks again', async () => {
    const { clock, drafts, done } = audit((request, call) =>
      call <= 2 ? notReady : chunk(request, 0, 0),
    );
    expect(await clock.drive(done)).toEqual([]);
    expect(drafts.slice(0, 6).map(({ type }) => type)).toEqual([
      'invoke',
      'fail',
      'invoke',
      'fail',
      'invoke',
      'ok',
    ]);
    expect(drafts[5]?.value).toMatchObject({ scan: 'final/orders/0/committed', end: 0 });
  });

  it('goes on under a new process after info', async () => {
    const { clock, drafts, done } = audit((request, call) =>
      call === 1 ? hung : chunk(request, 3, 3),
    );
    await clock.drive(done);
    expect(drafts.map(({ process }) => process).slice(0, 4)).toEqual([5, 5, 11, 11]);
  });

  it('gives up a scan without progress, and does the others', async () => {
    const { clock, done } = audit((request) =>
      request.view === 'raw' ? chunk(request, 2, 3) : chunk(request, 3, 3),
    );
    expect(await clock.drive(done)).toEqual(['final/orders/0/raw']);
    expect(clock.nowNs() / 1e6).toBeLessThan(25_000);
  });

  it('stops when its time is up, and says what is incomplete', async () => {
    const stop = new AbortController();
    const { clock, drafts, done } = audit(() => notReady, stop.signal);
    clock.after(500, () => {
      stop.abort();
    });
    expect(await clock.drive(done)).toEqual([
      'final/orders/0/committed',
      'final/orders/0/raw',
      'final/orders/0/uncommitted/3',
    ]);
    expect(new Set(drafts.map(({ process }) => process))).toEqual(new Set([5]));
  });
});
