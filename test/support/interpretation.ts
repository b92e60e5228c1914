/** Runs scripts of workers on a virtual clock, with clients that a test makes up, and keeps what they recorded. */
import { createInterpreter } from '../../src/generators/interpreter.ts';
import { createTally } from '../../src/generators/tally.ts';
import type { EventDraft } from '../../src/history/recording.ts';
import type {
  MemberClient,
  ProducerClient,
  ReaderClient,
  ReaderFactory,
  RebalanceTold,
} from '../../src/spi/client.ts';
import type { NextOperation, WorkerScript } from '../../src/spi/workload.ts';
import { createVirtualClock } from './virtual-clock.ts';

/** The listed operations, one after the other, then silence. */
export function script(
  kind: WorkerScript['kind'],
  operations: readonly NextOperation[],
  session: string | null = null,
): WorkerScript {
  const left = [...operations];
  return {
    kind,
    group: kind === 'member' ? 'g' : null,
    logs: kind === 'producer' ? [] : ['t/0', 't/1'],
    session,
    next: (nowMs) => left.shift() ?? { do: 'wait', untilMs: nowMs + 1_000 },
  };
}

/** One record to t/0. */
export function send(value: number, key?: string): NextOperation {
  const record = { topic: 't', partition: 0, value };
  return { do: 'send', records: [key === undefined ? record : { ...record, key }] };
}

interface Plan {
  readonly scripts: readonly WorkerScript[];
  readonly send?: ProducerClient['send'];
  readonly reader?: ReaderClient;
  /** What members do, given how they tell of rebalances. */
  readonly member?: (
    told: (rebalance: RebalanceTold) => void,
  ) => Omit<MemberClient, typeof Symbol.asyncDispose>;
  readonly create?: (name: string) => Promise<void>;
  readonly append?: (draft: EventDraft) => void;
  /** The record takes so many events and has ended then. */
  readonly recordedMax?: number;
}

export function interpret(plan: Plan) {
  const clock = createVirtualClock();
  const drafts: EventDraft[] = [];
  const created: string[] = [];
  const disposed: string[] = [];
  const tally = createTally();
  const stop = new AbortController();
  const make = async (name: string): Promise<AsyncDisposable> => {
    await plan.create?.(name);
    created.push(name);
    return {
      [Symbol.asyncDispose]: async () => {
        await clock.sleep(100);
        disposed.push(name);
      },
    };
  };
  const readers: ReaderFactory = {
    create: async (name) => ({ ...plan.reader!, ...(await make(name)) }),
  };
  const interpreter = createInterpreter({
    clock,
    append: (draft) => {
      plan.append?.(draft);
      if (drafts.length >= (plan.recordedMax ?? Infinity)) return -1;
      return drafts.push(draft) - 1;
    },
    tally,
    stop: stop.signal,
    processes: 4,
    operationGuardMs: 1_000,
    createTimeoutMs: 500,
    scripts: plan.scripts,
    producers: {
      create: async (name) => ({ send: plan.send!, ...(await make(name)) }),
      abandoned: () => ({ total: 0, open: 0 }),
      settle: () => Promise.resolve({ total: 0, open: 0 }),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    readers,
    members: {
      create: async (name, _group, told) => ({ ...plan.member!(told), ...(await make(name)) }),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
  });
  const run = async (forMs: number): Promise<void> => {
    await clock.drive(interpreter.connect());
    const running = interpreter.run();
    clock.after(forMs, () => {
      stop.abort();
    });
    await clock.drive(running);
    await clock.drive(clock.sleep(200));
  };
  return { clock, drafts, created, disposed, tally, stop, interpreter, run };
}

/** Who did what, in order. */
export function steps(drafts: readonly EventDraft[]): unknown[] {
  return drafts.map(({ process, type, f }) => [process, type, f]);
}
