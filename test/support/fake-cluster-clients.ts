/** Clients of the fake cluster: they write to its arrays and read from them. */
import type { Clock } from '../../src/core/clock.ts';
import type { LogName, RecordSeen } from '../../src/history/event.ts';
import type {
  AbandonedCalls,
  AuditClient,
  Outcome,
  ProducerClient,
  ReaderClient,
  Sent,
} from '../../src/spi/client.ts';
import type { Connections } from '../../src/run/execute.ts';
import type { FakeCluster, FakeLog } from './fake-cluster.ts';

export interface FakeConnections extends Connections {
  /** Names of producers and readers in the order of their creation. */
  readonly created: string[];
  readonly disposed: string[];
  /** Set by a test: what the next polls answer instead, one each. */
  readonly pollTrouble: Outcome<never>[];
  /** The most audit calls that found the cluster not whole. */
  auditsRefused: number;
}

const sendMs = 3;
const operationTimeoutMs = 5_000;
const chunkRecords = 500;

export function createFakeConnections(clock: Clock, cluster: FakeCluster): FakeConnections {
  const created: string[] = [];
  const disposed: string[] = [];
  const pollTrouble: Outcome<never>[] = [];
  const abandoned: AbandonedCalls = { total: 0, open: 0 };
  const logOf = (name: LogName): FakeLog => cluster.logs.get(name) as FakeLog;
  const seen = (log: FakeLog, offset: number): RecordSeen => {
    const { value, key } = log.records[offset] as FakeLog['records'][number];
    return key === undefined ? [offset, value] : [offset, value, { key }];
  };
  const disposal = (name: string) => ({
    [Symbol.asyncDispose]: async () => {
      await clock.turn();
      disposed.push(name);
    },
  });

  let turn = 0;
  const producer = (name: string): ProducerClient => ({
    ...disposal(name),
    send: async (requests) => {
      const logs = requests.map(({ topic, partition, meta }) => {
        const ofTopic = [...cluster.logs.values()].filter((log) => log.topic === topic);
        // The choice of the client: in turn.
        // A key always goes the same way; whoever has none takes turns.
        const chosen = meta.key === undefined ? turn++ : String(meta.key).charCodeAt(1);
        return ofTopic[(partition ?? chosen) % ofTopic.length] as FakeLog;
      });
      await clock.sleep(sendMs);
      if (!logs.every((log) => cluster.writable(log))) {
        await clock.sleep(operationTimeoutMs);
        return { type: 'info', error: { code: 'DEADLINE', message: 'no answer' } };
      }
      const sent = requests.map(({ value, meta }, i): Sent => {
        const { partition, records } = logs[i] as FakeLog;
        return { partition, offset: records.push({ value, key: meta.key }) - 1 };
      });
      return { type: 'ok', value: sent };
    },
  });

  const reader = (name: string): ReaderClient => {
    const positions = new Map<LogName, number>();
    return {
      ...disposal(name),
      assign: async (logs, from) => {
        await clock.turn();
        positions.clear();
        for (const log of logs) {
          positions.set(log, typeof from === 'string' ? 0 : (from[log] as number));
        }
        return { type: 'ok', value: null };
      },
      poll: async () => {
        await clock.sleep(sendMs);
        const trouble = pollTrouble.shift();
        if (trouble !== undefined) return trouble;
        const result: Record<LogName, readonly RecordSeen[]> = {};
        for (const [name, position] of positions) {
          const log = logOf(name);
          const records = log.records.slice(position).map((_, at) => seen(log, position + at));
          if (records.length > 0) result[name] = records;
          positions.set(name, log.records.length);
        }
        return { type: 'ok', value: result };
      },
    };
  };

  const connections: FakeConnections = {
    created,
    disposed,
    pollTrouble,
    auditsRefused: 0,
    producers: {
      create: async (name) => {
        await clock.sleep(10);
        created.push(name);
        return producer(name);
      },
      abandoned: () => abandoned,
      settle: async () => {
        await clock.turn();
        return abandoned;
      },
      ...disposal('producers'),
    },
    readers: {
      create: async (name) => {
        await clock.sleep(10);
        created.push(name);
        return reader(name);
      },
    },
    members: null,
    auditor: fakeAuditor(clock, cluster, logOf, seen, () => {
      connections.auditsRefused += 1;
    }),
    ...disposal('connections'),
  };
  return connections;
}

function fakeAuditor(
  clock: Clock,
  cluster: FakeCluster,
  logOf: (name: LogName) => FakeLog,
  seen: (log: FakeLog, offset: number) => RecordSeen,
  refused: () => void,
): AuditClient {
  return {
    committed: () => Promise.resolve({ type: 'ok', value: {} }),
    chunk: async ({ log: name, view, from, replica }) => {
      await clock.sleep(sendMs);
      const log = logOf(name);
      if (!cluster.writable(log) || log.inSync.length < log.replicas.length) {
        refused();
        return { type: 'fail', error: { code: 'NOT_READY', message: 'not whole' } };
      }
      const end = log.records.length;
      const next = Math.min(end, from + chunkRecords);
      const offsets = Array.from({ length: next - from }, (_, at) => from + at);
      const value = {
        log: name,
        view,
        from,
        next,
        start: 0,
        end,
        leaderEpoch: log.epoch,
        linearizable: true,
        ...(replica === undefined ? {} : { replica }),
        ...(view === 'raw' ? { batches: [] } : { records: offsets.map((at) => seen(log, at)) }),
      };
      return { type: 'ok', value };
    },
    [Symbol.asyncDispose]: async () => {
      await clock.turn();
    },
  };
}
