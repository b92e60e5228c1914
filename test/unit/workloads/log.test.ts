import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/core/random.ts';
import {
  plainSends,
  type NextOperation,
  type SendStyle,
  type WorkerScript,
  type WorkloadOptions,
} from '../../../src/spi/workload.ts';
import { workloads } from '../../../src/workloads/index.ts';
import { logWorkload } from '../../../src/workloads/log.ts';
import { createPace } from '../../../src/workloads/pace.ts';
import { rotatedReplicas } from '../../../src/workloads/placement.ts';

const options: WorkloadOptions = {
  topics: 2,
  partitions: 3,
  concurrency: 2,
  ratePerSecond: 100,
  sends: plainSends,
  nodes: [1, 2, 3],
  topicConfig: { 'min.insync.replicas': '2' },
};

function workers(seed: string, changes: Partial<WorkloadOptions> = {}): readonly WorkerScript[] {
  return logWorkload.workers({ ...options, ...changes }, (name) => randomStream(seed, name));
}

type Records = Extract<NextOperation, { do: 'send' }>['records'];

/** The records of each call, while one script alone runs for a while; every operation takes no time. */
function calls(script: WorkerScript, untilMs: number): Records[] {
  const done: Records[] = [];
  for (let nowMs = 0; nowMs < untilMs;) {
    const next = script.next(nowMs);
    if (next.do === 'wait') nowMs = next.untilMs;
    else if (next.do === 'send') done.push(next.records);
  }
  return done;
}

function sends(script: WorkerScript, untilMs: number): Records {
  return calls(script, untilMs).flat();
}

function styled(style: Partial<SendStyle>, changes: Partial<WorkloadOptions> = {}) {
  return workers('1', { ...changes, sends: { ...plainSends, ...style } });
}

describe('the log workload', () => {
  it('is registered under its name', () => {
    expect(workloads.get('log')).toBe(logWorkload);
  });

  it('places replicas explicitly and rotated, shifted from topic to topic', () => {
    const config = options.topicConfig;
    expect(logWorkload.topics(options)).toEqual([
      {
        name: 'orders',
        replicas: [
          [1, 2, 3],
          [2, 3, 1],
          [3, 1, 2],
        ],
        config,
      },
      {
        name: 'orders-2',
        replicas: [
          [2, 3, 1],
          [3, 1, 2],
          [1, 2, 3],
        ],
        config,
      },
    ]);
  });

  it('has a producer per unit of concurrency, and readers of every log', () => {
    const scripts = workers('1');
    expect(scripts.map((script) => script.kind)).toEqual([
      'producer',
      'producer',
      'reader',
      'reader',
    ]);
    expect(scripts[3]?.logs).toHaveLength(6);
  });

  it('writes values that tell worker and sequence, each once', () => {
    // The pace is shared: what the first does until 300 ms leaves the second the slots after that.
    const [first, second] = workers('1');
    const values = [sends(first!, 300), sends(second!, 600)].map((all) =>
      all.map((send) => send.value),
    );
    expect(values[0]?.slice(0, 3)).toEqual([2 ** 32, 2 ** 32 + 1, 2 ** 32 + 2]);
    expect(values[1]?.slice(0, 3)).toEqual([2 ** 33, 2 ** 33 + 1, 2 ** 33 + 2]);
    expect(new Set(values.flat()).size).toBe(values.flat().length);
  });

  it('has producers that stay with a log each, and others that visit every log once per round', () => {
    const visited = (script: WorkerScript, untilMs: number) =>
      sends(script, untilMs).map((send) => `${send.topic}/${send.partition}`);
    expect(new Set(visited(workers('1')[0]!, 240))).toEqual(new Set(['orders/0']));
    const roamed = visited(workers('1')[1]!, 240);
    expect(new Set(roamed.slice(0, 6)).size).toBe(6);
    expect(new Set(roamed.slice(6, 12)).size).toBe(6);
    const many = workers('1', { concurrency: 9, topics: 1 });
    expect(new Set(visited(many[2]!, 100))).toEqual(new Set(['orders/2']));
    expect(new Set(visited(many[3]!, 300)).size).toBe(3);
    expect(new Set(visited(workers('1', { concurrency: 1 })[0]!, 240)).size).toBe(6);
  });

  it('draws the same operations from the same seed, whatever the other workers do', () => {
    const first = workers('1', { topics: 1, concurrency: 4 })[3];
    const again = workers('1', { topics: 1, concurrency: 7 })[3];
    expect(sends(again!, 500)).toEqual(sends(first!, 500));
    const other = workers('2', { topics: 1, concurrency: 4 })[3];
    expect(sends(other!, 500)).not.toEqual(sends(first!, 500));
  });

  it('means by a seed of plain sends what it always meant', () => {
    const roaming = workers('1')[1]!;
    expect(sends(roaming, 35)).toEqual([
      { topic: 'orders', partition: 0, value: 2 ** 33, key: 'k3' },
      { topic: 'orders', partition: 2, value: 2 ** 33 + 1, key: 'k2' },
      { topic: 'orders-2', partition: 0, value: 2 ** 33 + 2, key: 'k3' },
      { topic: 'orders-2', partition: 1, value: 2 ** 33 + 3, key: 'k8' },
    ]);
  });

  it('draws how many records a call has, and spreads them over the logs of the worker', () => {
    const roaming = styled({ recordsPerSendMax: 4 })[1]!;
    const all = calls(roaming, 1_000);
    expect(new Set(all.map(({ length }) => length))).toEqual(new Set([1, 2, 3, 4]));
    const values = all.flat().map(({ value }) => value);
    expect(values).toEqual(values.map((_, sequence) => 2 ** 33 + sequence));
    const first = all.find(({ length }) => length === 4) ?? [];
    expect(new Set(first.map(({ topic, partition }) => `${topic}/${partition}`)).size).toBe(4);
  });

  it('leaves the partition to the client, half of the time with a key that chooses it', () => {
    const records = sends(styled({ partition: 'client' })[0]!, 400);
    expect(records.every(({ partition }) => partition === null)).toBe(true);
    const keyed = records.filter(({ key }) => key !== undefined).length;
    expect([0, records.length]).not.toContain(keyed);
  });

  it('has a session where a client is shared, or outlives its failures', () => {
    const sessions = (style: Partial<SendStyle>) =>
      styled(style, { concurrency: 5 }).map(({ session }) => session);
    const readers = [null, null];
    expect(sessions({})).toEqual([null, null, null, null, null, ...readers]);
    const [one, two, three] = ['producer-1', 'producer-2', 'producer-3'];
    expect(sessions({ sharedBy: 2 })).toEqual([one, one, two, two, three, ...readers]);
    expect(sessions({ afterFailure: 'continue' }).slice(0, 3)).toEqual([one, two, three]);
  });

  it('polls at intervals, measured from the poll before', () => {
    const reader = workers('1')[2]!;
    expect(reader.next(0)).toEqual({ do: 'poll' });
    expect(reader.next(3)).toEqual({ do: 'wait', untilMs: 200 });
    expect(reader.next(5_000)).toEqual({ do: 'poll' });
    expect(reader.next(5_001)).toEqual({ do: 'wait', untilMs: 5_200 });
  });
});

describe('a shared pace', () => {
  it('spreads slots evenly over all who claim', () => {
    const pace = createPace(200);
    expect([pace.claim(0), pace.claim(0), pace.claim(1)]).toEqual([0, 5, 10]);
  });

  it('makes up for a late timer, never for a stall', () => {
    const pace = createPace(100);
    pace.claim(0);
    expect(pace.claim(25)).toBe(10);
    const afterStall = Array.from({ length: 50 }, () => pace.claim(10_000));
    expect(afterStall.filter((slotMs) => slotMs <= 10_000)).toHaveLength(11);
  });

  it('keeps its rate over a long time', () => {
    const pace = createPace(30);
    let slots = 0;
    for (let nowMs = 0; nowMs < 60_000; nowMs = Math.max(nowMs, pace.claim(nowMs))) slots += 1;
    expect(slots).toBeGreaterThanOrEqual(1_799);
    expect(slots).toBeLessThanOrEqual(1_802);
  });
});

describe('rotatedReplicas', () => {
  it('has as many replicas as there are nodes, if these are few', () => {
    expect(rotatedReplicas([4, 7], 3, 3, 0)).toEqual([
      [4, 7],
      [7, 4],
      [4, 7],
    ]);
    expect(rotatedReplicas([1, 2, 3, 4], 2, 3, 1)).toEqual([
      [2, 3, 4],
      [3, 4, 1],
    ]);
  });
});
