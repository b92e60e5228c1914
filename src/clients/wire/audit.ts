/**
 * The audit: reads one log for proof. Its end is the high watermark of the leader on which all nodes agree, both before
 * the leader was asked and after it answered. The second round is what makes the end a linearizable read: a later
 * leader would have to know of its own epoch before it acknowledged anything, and no node did when it was asked.
 */
import { assert } from '../../core/assert.ts';
import type { AuditCompleted, IsolationLevel, RawBatch, RecordSeen } from '../../history/event.ts';
import { parseLogName } from '../../history/log-name.ts';
import { earliestOffset, latestOffset } from '../../kafka-protocol/messages/list-offsets.ts';
import type { AuditClient, AuditRequest, Outcome } from '../../spi/client.ts';
import type { PartitionView } from '../../spi/cluster.ts';
import { rawBatches, type Seen, seenRecords, visibleEnd } from './fetched.ts';
import { partitionsView } from './node-views.ts';
import { readGroupOffsets } from './group-offsets.ts';
import { createNodes, type Nodes, type WireOptions } from './nodes.ts';
import { type Fail, fail, notReady } from './outcomes.ts';
import { judgePartition } from './pictures.ts';
import { askFetch, askOffset, type Partition } from './requests.ts';
import { wireDefaults, type WireSettings } from './settings.ts';

type ChunkOutcome = Outcome<Omit<AuditCompleted, 'scan'>>;

/** An audit client over connections of its own; one chunk at a time. */
export function createWireAuditClient(options: WireOptions): AuditClient {
  const settings = { ...wireDefaults, ...options.settings };
  const nodes = createNodes(options, settings, 'ordeal-audit');
  return {
    chunk: (request) => auditChunk(nodes, settings, request),
    committed: (group, logs) => readGroupOffsets(nodes, settings, group, logs),
    [Symbol.asyncDispose]: () => nodes[Symbol.asyncDispose](),
  };
}

/** What the agreed leader says of the log as a whole. */
interface Extent {
  readonly type: 'ok';
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly start: number;
  readonly lastStable: number;
  readonly end: number;
}

async function auditChunk(
  nodes: Nodes,
  settings: WireSettings,
  request: AuditRequest,
): Promise<ChunkOutcome> {
  const name = parseLogName(request.log);
  assert(name !== null && name.partition !== null, `"${request.log}" is topic/partition`);
  const log = { topic: name.topic, partition: name.partition };
  const extent = await measure(nodes, settings, log);
  if (extent.type === 'fail') return extent;
  if (request.from > extent.end) {
    return fail(
      'OFFSET_OUT_OF_RANGE',
      `${request.log} ends at ${extent.end}, below the ${request.from} asked for`,
    );
  }
  const seen =
    request.from === extent.end
      ? { type: 'ok' as const, items: [], next: request.from }
      : await readChunk(nodes, settings, { request, log, extent });
  if (seen.type === 'fail') return seen;
  const { start, end, lastStable, leaderEpoch } = extent;
  const value = {
    ...request,
    ...contents(request, seen.items),
    next: seen.next,
    start,
    end,
    lastStable,
    leaderEpoch,
    linearizable: true,
  };
  return { type: 'ok', value };
}

type Items = readonly RecordSeen[] | readonly RawBatch[];

function contents(
  request: AuditRequest,
  items: Items,
): Pick<AuditCompleted, 'records'> | Pick<AuditCompleted, 'batches'> {
  return request.view === 'raw'
    ? { batches: items as readonly RawBatch[] }
    : { records: items as readonly RecordSeen[] };
}

/** Asks the agreed leader for start, last stable offset and high watermark, between two rounds of agreement. */
async function measure(
  nodes: Nodes,
  settings: WireSettings,
  log: Partition,
): Promise<Extent | Fail> {
  const before = await agree(nodes, settings, log);
  if ('type' in before) return before;
  const place = { ...log, leaderEpoch: before.leaderEpoch };
  const ask = (timestamp: number, isolation: IsolationLevel): ReturnType<typeof askOffset> =>
    askOffset(nodes, before.leader, place, { timestamp, isolation }, settings.requestTimeoutMs);
  // In this order, on one connection: what is asked later can only be higher.
  const start = await ask(earliestOffset, 'read_uncommitted');
  if (start.type === 'fail') return start;
  const lastStable = await ask(latestOffset, 'read_committed');
  if (lastStable.type === 'fail') return lastStable;
  const end = await ask(latestOffset, 'read_uncommitted');
  if (end.type === 'fail') return end;
  const after = await agree(nodes, settings, log);
  if ('type' in after) return after;
  if (
    after.leader !== before.leader ||
    after.leaderEpoch !== before.leaderEpoch ||
    end.leaderEpoch !== before.leaderEpoch
  ) {
    return notReady(
      `${log.topic}/${log.partition}: the leader changed while it was asked, from epoch ${before.leaderEpoch} to ${after.leaderEpoch}, and the answer has ${end.leaderEpoch}`,
    );
  }
  return {
    type: 'ok',
    leader: before.leader,
    leaderEpoch: before.leaderEpoch,
    start: start.offset,
    lastStable: lastStable.offset,
    end: end.offset,
  };
}

async function agree(
  nodes: Nodes,
  settings: WireSettings,
  log: Partition,
): Promise<PartitionView | Fail> {
  const views = await Promise.all(
    nodes.ids.map((node) => partitionsView(nodes, node, [log.topic], settings.requestTimeoutMs)),
  );
  const agreement = judgePartition(nodes.ids, views, log);
  return agreement.agreed ? agreement.view : notReady(agreement.missing.join('; '));
}

async function readChunk(
  nodes: Nodes,
  settings: WireSettings,
  what: { readonly request: AuditRequest; readonly log: Partition; readonly extent: Extent },
): Promise<Seen<RecordSeen> | Seen<RawBatch> | Fail> {
  const { request, log, extent } = what;
  const isolation = request.view === 'committed' ? 'read_committed' : 'read_uncommitted';
  const node = request.replica ?? extent.leader;
  // Below the log's start there is nothing to say, so the chunk covers that range by beginning after it.
  const from = Math.max(request.from, extent.start);
  const position = {
    ...log,
    leaderEpoch: extent.leaderEpoch,
    offset: from,
    bytesMax: settings.chunkBytesMax,
  };
  const question = { isolation, maxWaitMs: 0, bytesMax: settings.chunkBytesMax } as const;
  const timeoutMs = settings.requestTimeoutMs;
  const fetched = await askFetch(nodes, node, [position], question, timeoutMs);
  if (fetched.type === 'fail') return fetched;
  const [answer] = fetched.answers;
  assert(answer !== undefined, 'a fetch answers every position');
  // A follower's own high watermark bounds its answer. The leader's can only have risen since `end` was measured.
  const bound = Math.min(extent.end, visibleEnd(answer, isolation));
  const window = { log: request.log, from, bound: Math.max(bound, from) };
  const seen =
    request.view === 'raw' ? rawBatches(answer, window) : seenRecords(answer, isolation, window);
  if (seen.type === 'ok' && seen.next <= from && from < extent.end) {
    return notReady(
      `${request.log}: node-${node} shows nothing from ${from} on, where its last stable offset is ${answer.lastStableOffset}, its high watermark ${answer.highWatermark} and the measured end ${extent.end}`,
    );
  }
  return seen;
}
