/**
 * Assigned pollers: a reader is told its logs and positions and asks the leaders itself, without group or commits. A
 * poll is all or nothing: positions move only when every leader answered, so that a failed poll has skipped nothing.
 */
import { assert } from '../../core/assert.ts';
import type { Clock } from '../../core/clock.ts';
import type { IsolationLevel, LogName, RecordSeen } from '../../history/event.ts';
import { parseLogName } from '../../history/log-name.ts';
import type { FetchedPartition } from '../../kafka-protocol/messages/fetch.ts';
import { earliestOffset, latestOffset } from '../../kafka-protocol/messages/list-offsets.ts';
import type { NodeId } from '../../spi/cluster.ts';
import type { Outcome, PollResult, ReaderClient, ReaderFactory } from '../../spi/client.ts';
import { seenRecords, visibleEnd } from './fetched.ts';
import { createLeaderTable, type LeaderTable } from './leaders.ts';
import { createNodes, type Nodes, type WireOptions } from './nodes.ts';
import { fail, type Fail } from './outcomes.ts';
import { askFetch, askOffset, type Partition, type Position } from './requests.ts';
import { wireDefaults, type WireSettings } from './settings.ts';

/** Readers over connections of their own. Creating one connects nothing yet, so it never fails. */
export function createWireReaderFactory(options: WireOptions): ReaderFactory {
  const settings = { ...wireDefaults, ...options.settings };
  return {
    create: (name, isolation) => {
      const nodes = createNodes(options, settings, name);
      return Promise.resolve(createReader({ nodes, clock: options.clock, settings, isolation }));
    },
  };
}

interface ReaderParts {
  readonly nodes: Nodes;
  readonly clock: Clock;
  readonly settings: WireSettings;
  readonly isolation: IsolationLevel;
}

/** One assigned log and where the next poll reads on. */
interface Reading extends Partition {
  readonly log: LogName;
  offset: number;
}

/** What a poll asks of one leader: a position for each reading, in the same order. */
interface Share {
  readonly node: NodeId;
  readonly readings: Reading[];
  readonly positions: Position[];
}

function createReader(parts: ReaderParts): ReaderClient {
  const { nodes, clock, settings } = parts;
  const leaders = createLeaderTable(nodes, clock, settings);
  let readings: readonly Reading[] | null = null;
  let ended: Fail | null = null;
  return {
    assign: async (logs, from) => {
      readings = null;
      ended = null;
      const places = logs.map(placeOf);
      const found =
        typeof from === 'string'
          ? await startOffsets(parts, leaders, places, from)
          : places.map((place) => givenOffset(place, from));
      if ('type' in found) return found;
      readings = found;
      return { type: 'ok', value: null };
    },
    poll: async () => {
      if (ended !== null) return ended;
      if (readings === null) return fail('NOT_ASSIGNED', 'a poll needs an assignment first');
      const outcome = await pollOnce(parts, leaders, readings);
      if (outcome.type === 'fail') {
        leaders.stale();
        // Reading on from anywhere else would be a silent reset, which looks like a skip.
        if (outcome.error.code === 'OFFSET_OUT_OF_RANGE') ended = outcome;
      }
      return outcome;
    },
    [Symbol.asyncDispose]: () => nodes[Symbol.asyncDispose](),
  };
}

async function pollOnce(
  parts: ReaderParts,
  leaders: LeaderTable,
  readings: readonly Reading[],
): Promise<Extract<Outcome<PollResult>, { type: 'ok' }> | Fail> {
  const { settings, isolation } = parts;
  const shares = await sharesOf(parts, leaders, readings);
  if ('type' in shares) return shares;
  const results = await Promise.all(
    shares.map(async (share) => {
      const question = {
        isolation,
        maxWaitMs: settings.pollWaitMs,
        bytesMax: settings.pollBytesMax,
      };
      const fetched = await askFetch(
        parts.nodes,
        share.node,
        share.positions,
        question,
        settings.requestTimeoutMs,
      );
      return fetched.type === 'ok' ? takeShare(share, fetched.answers, isolation) : fetched;
    }),
  );
  const failure = firstFailure(results);
  if (failure !== null) return failure;
  const value: Record<LogName, readonly RecordSeen[]> = {};
  const moved = new Map<LogName, number>();
  for (const result of results) {
    if (result.type !== 'ok') continue;
    for (const { log, records, next } of result.logs) {
      moved.set(log, next);
      if (records.length > 0) value[log] = records;
    }
  }
  for (const reading of readings) reading.offset = moved.get(reading.log) ?? reading.offset;
  return { type: 'ok', value };
}

interface Taken {
  readonly type: 'ok';
  readonly logs: readonly {
    readonly log: LogName;
    readonly records: readonly RecordSeen[];
    readonly next: number;
  }[];
}

function takeShare(
  share: Share,
  answers: readonly FetchedPartition[],
  isolation: IsolationLevel,
): Taken | Fail {
  const logs: Taken['logs'][number][] = [];
  for (let index = 0; index < share.readings.length; index++) {
    const { log, offset } = share.readings[index] as Reading;
    const answer = answers[index];
    assert(answer !== undefined, 'a fetch answers every position');
    const window = { log, from: offset, bound: visibleEnd(answer, isolation) };
    const seen = seenRecords(answer, isolation, window);
    if (seen.type === 'fail') return seen;
    logs.push({ log, records: seen.items, next: seen.next });
  }
  return { type: 'ok', logs };
}

/** Out of range comes first: it is the one failure that the caller must act on. */
function firstFailure(results: readonly (Taken | Fail)[]): Fail | null {
  const failures = results.filter((result) => result.type === 'fail');
  return failures.find(({ error }) => error.code === 'OFFSET_OUT_OF_RANGE') ?? failures[0] ?? null;
}

/** Groups readings by their leaders, after a refresh of the table if it is due. */
async function sharesOf(
  parts: ReaderParts,
  leaders: LeaderTable,
  readings: readonly Reading[],
): Promise<readonly Share[] | Fail> {
  await leaders.refresh([...new Set(readings.map(({ topic }) => topic))]);
  // Leaders are few, so that looking through their shares beats a map.
  const shares: Share[] = [];
  const { partitionBytesMax: bytesMax } = parts.settings;
  for (const reading of readings) {
    const { log, topic, partition, offset } = reading;
    const known = leaders.of(log);
    if (known === undefined || known.leader < 0) {
      leaders.stale();
      return fail('LEADER_NOT_AVAILABLE', `${log} has no leader that a node could name`);
    }
    const { leader, leaderEpoch } = known;
    let share = shares.find(({ node }) => node === leader);
    if (share === undefined) {
      share = { node: leader, readings: [], positions: [] };
      shares.push(share);
    }
    share.readings.push(reading);
    share.positions.push({ topic, partition, leaderEpoch, offset, bytesMax });
  }
  return shares;
}

/** Asks each leader for the log's first offset, or for the one after the last that this reader may see. */
async function startOffsets(
  parts: ReaderParts,
  leaders: LeaderTable,
  places: readonly Reading[],
  from: 'beginning' | 'end',
): Promise<readonly Reading[] | Fail> {
  leaders.stale();
  const shares = await sharesOf(parts, leaders, places);
  if ('type' in shares) return shares;
  const { settings, isolation, nodes } = parts;
  const timestamp = from === 'beginning' ? earliestOffset : latestOffset;
  const asked = await Promise.all(
    shares.flatMap((share) =>
      share.readings.map(async ({ log, topic, partition }, index) => {
        const question = { timestamp, isolation };
        const timeoutMs = settings.requestTimeoutMs;
        const position = share.positions[index] as Position;
        const answer = await askOffset(nodes, share.node, position, question, timeoutMs);
        if (answer.type === 'fail') return answer;
        return { log, topic, partition, offset: answer.offset };
      }),
    ),
  );
  const found: Reading[] = [];
  for (const one of asked) {
    if ('type' in one) return one;
    found.push(one);
  }
  return found;
}

function placeOf(log: LogName): Reading {
  const name = parseLogName(log);
  assert(name !== null && name.partition !== null, `"${log}" is topic/partition`);
  return { log, topic: name.topic, partition: name.partition, offset: 0 };
}

function givenOffset(place: Reading, from: Readonly<Record<LogName, number>>): Reading {
  const offset = from[place.log];
  assert(offset !== undefined, `an assignment of ${place.log} says where it starts`);
  return { ...place, offset };
}
