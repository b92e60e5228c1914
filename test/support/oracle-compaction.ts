/**
 * Oracles of compacted logs, by enumeration of worlds: where each uncertain record of a key may stand, or that it was never
 * written. In a world a scan is legal if a cleaner that runs whenever it likes can have left what the scan shows: it removes a
 * record once a later one of the key stands in the log, older ones with it or before, and a tombstone that is old enough.
 */
import type { Scalar } from '../../src/history/event.ts';
import type { AnomalyName } from '../../src/spi/verdict.ts';
import { placesOf, proofsAt, scanDivergenceOracle } from './oracle-loss.ts';
import {
  before,
  counted,
  topicName,
  type Model,
  type ModelChunk,
  type ModelScan,
  type ModelSend,
  type OracleAnswer,
} from './oracle-model.ts';
import { isComplete, offsetMax } from './oracle-scans.ts';

interface Candidate {
  readonly send: ModelSend;
  /** Null: nobody told. */
  readonly place: number | null;
  /** It was sent to this log; else it is a phantom here. */
  readonly sent: boolean;
}

/** A record of the key in one world. */
interface Written {
  readonly value: Scalar;
  readonly place: number;
  readonly tombstone: boolean;
  readonly sent: number;
}

type World = readonly Written[];

const unknownPlaces = [-0.5, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, offsetMax];

export function lostKeyOracle(model: Model): OracleAnswer {
  if (isAmbiguous(model)) return { found: null, count: null };
  return counted(keysFound(model, (shown) => shown.length === 0));
}

export function resurrectedKeyOracle(model: Model): OracleAnswer {
  if (isAmbiguous(model)) return { found: null, count: null };
  return counted(keysFound(model, (shown) => shown.length > 0));
}

/** A compacted log in which a value stands at two offsets, or two at one: other anomalies, and then no order of a key. */
export function isAmbiguous(model: Model): boolean {
  if (model.compacted.size === 0) return false;
  const places = model.sends.flatMap((send) =>
    ['t/0', 't/1'].flatMap((log) => {
      const seen = model.sights.filter((s) => s.log === log && s.value === send.value);
      const all = [...placesOf(model, send, log), ...seen.map(({ offset }) => offset)];
      return [...new Set(all)].map((offset) => ({ value: send.value, place: `${log} ${offset}` }));
    }),
  );
  return places.some((a) => places.some((b) => (a.value === b.value) !== (a.place === b.place)));
}

/** What a witness may name, and whether the definition says that it shows the anomaly. */
export interface CompactionClaim {
  readonly anomaly: AnomalyName;
  readonly scans: readonly ModelScan[];
  readonly log: string;
  readonly key?: string;
  /** At which the last record of the key is shown. */
  readonly offset?: number;
  readonly holds: boolean;
}

/** Every claim about one key of one scan, and about two scans of a log. None where values stand at two places. */
export function compactionClaims(model: Model): readonly CompactionClaim[] {
  if (isAmbiguous(model)) return [];
  const ofKeys = model.scans.flatMap((scan) =>
    keys.flatMap((key): CompactionClaim[] => {
      const shown = shownIfIllegal(model, scan, key);
      const named = { scans: [scan], log: scan.log, key };
      return [
        { ...named, anomaly: 'compaction-lost-key', holds: shown?.length === 0 },
        ...[undefined, ...offsets].map((offset): CompactionClaim => ({
          ...named,
          ...(offset === undefined ? {} : { offset }),
          anomaly: 'compaction-resurrected-key',
          holds:
            shown !== null && shown.length > 0 && (offset === undefined || offset === shown.at(-1)),
        })),
      ];
    }),
  );
  const ofPairs = model.scans.flatMap((a, i) =>
    model.scans
      .slice(i + 1)
      .filter((b) => b.log === a.log)
      .map((b): CompactionClaim => {
        const { found } = scanDivergenceOracle({ ...model, scans: [a, b] });
        return { anomaly: 'scan-divergence', scans: [a, b], log: a.log, holds: found === true };
      }),
  );
  return [...ofKeys, ...ofPairs];
}

const keys = ['a', 'b'];
const offsets = [0, 1, 2];

/** Number of (log, key) of which some complete scan is illegal in every world, and shows what `which` asks for. */
function keysFound(model: Model, which: (shown: readonly number[]) => boolean): number {
  const found = new Set<string>();
  for (const scan of model.scans) {
    for (const key of keys) {
      const shown = shownIfIllegal(model, scan, key);
      if (shown !== null && which(shown)) found.add(`${scan.log} ${key}`);
    }
  }
  return found.size;
}

/** The offsets at which a complete scan shows the key, if no world explains them; else null. */
function shownIfIllegal(model: Model, scan: ModelScan, key: string): readonly number[] | null {
  if (!isComplete(scan) || !model.compacted.has(topicName(scan.log))) return null;
  const candidates = candidatesOf(model, scan.log, key);
  const owed = candidates.filter((each) => isOwed(model, scan, each));
  if (owed.length === 0) return null;
  const must = (each: Candidate): boolean => owed.includes(each) || shows(scan, each.send.value);
  if (worlds(candidates, must).some((world) => isLegal(model, scan, world, owed))) return null;
  return shownPlaces(
    scan,
    candidates.map(({ send }) => send.value),
  );
}

/** Two complete scans of one view that end in different records of a key, and that no world explains together. */
export function keysDiverge(model: Model): boolean {
  const scans = model.scans
    .filter(isComplete)
    .filter(({ log }) => model.compacted.has(topicName(log)));
  return scans.some((a) =>
    scans.some(
      (b) =>
        a !== b &&
        a.log === b.log &&
        a.view === b.view &&
        ['a', 'b'].some((key) => diverge(model, a, b, key)),
    ),
  );
}

function diverge(model: Model, a: ModelScan, b: ModelScan, key: string): boolean {
  const candidates = candidatesOf(model, a.log, key);
  const values = candidates.map(({ send }) => send.value);
  const end = Math.min(a.chunks[0]!.end, b.chunks[0]!.end);
  const [lastA, lastB] = [a, b].map((scan) => shownPlaces(scan, values).at(-1) ?? -1);
  const holdsLater = shownPlaces(b, values).some((place) => place >= lastA!);
  if (lastA! < 0 || lastA! >= end || lastA! < startOf(b) || holdsLater) return false;
  const tombstone = candidates.some(
    ({ send, sent }) =>
      sent &&
      send.tombstone &&
      a.chunks.some(({ records }) =>
        records.some(([at, value]) => at === lastA && value === send.value),
      ),
  );
  if (tombstone && lastB! < 0) return false;
  const must = ({ send }: Candidate): boolean => shows(a, send.value) || shows(b, send.value);
  return !worlds(candidates, must).some(
    (world) => isLegal(model, a, world, []) && isLegal(model, b, world, []),
  );
}

/** Sends of the key that may stand in the log. */
function candidatesOf(model: Model, log: string, key: string): readonly Candidate[] {
  return model.sends
    .filter(
      (send) =>
        send.key === key &&
        (send.op.status !== 'fail' || isSeenIn(model, log, send)) &&
        (isSentTo(log, send) || isSeenIn(model, log, send)),
    )
    .map((send) => {
      const seen = model.sights.filter((s) => s.log === log && s.value === send.value);
      const places = isSentTo(log, send) ? placesOf(model, send, log) : seen.map((s) => s.offset);
      const place = places.length === 0 ? null : Math.min(...places);
      return { send, place, sent: isSentTo(log, send) };
    })
    .filter(({ send, place }) => place !== null || !isElsewhere(model, send, log));
}

function isSentTo(log: string, send: ModelSend): boolean {
  return send.topicOnly ? send.topic === topicName(log) : send.log === log;
}

/** Seen in the log, whether it was sent there or not. */
function isSeenIn(model: Model, log: string, { value }: ModelSend): boolean {
  return model.sights.some((sight) => sight.log === log && sight.value === value);
}

function isElsewhere(model: Model, send: ModelSend, log: string): boolean {
  if (send.log !== null) return send.log !== log;
  return model.sights.some((sight) => sight.value === send.value && sight.log !== log);
}

/** Proved before the scan, at a place that it had to read. */
function isOwed(model: Model, scan: ModelScan, { send, place, sent }: Candidate): boolean {
  if (place === null || !sent || send.op.status === 'fail' || place < startOf(scan)) return false;
  const first = scan.chunks[0]!;
  if (place >= first.end && !(first.linearizable && model.acksAll)) return false;
  const proofs = [
    ...proofsAt(model, send, scan.log, place),
    ...model.sights
      .filter(({ value, log }) => value === send.value && log === scan.log)
      .map(({ op }) => op),
    ...(send.op.status === 'ok' ? [send.op] : []),
  ];
  return proofs.some((op) => before(model, op, first.op));
}

/** Every world: each candidate at its place, or, where it need not exist, nowhere; unknown places are tried one by one. */
function worlds(candidates: readonly Candidate[], must: (each: Candidate) => boolean): World[] {
  let all: World[] = [[]];
  for (const each of candidates) {
    const { send, place } = each;
    const places = place === null ? unknownPlaces : [place];
    const written = places.map((at): Written => ({
      value: send.value,
      place: at,
      tombstone: send.tombstone && each.sent,
      sent: each.sent ? send.inv : -Infinity,
    }));
    all = all.flatMap((world) => [
      ...(must(each) ? [] : [world]),
      ...written.map((record) => [...world, record]),
    ]);
  }
  return all;
}

function isLegal(model: Model, scan: ModelScan, world: World, owed: readonly Candidate[]): boolean {
  const { end } = scan.chunks[0]!;
  const isOwedHere = ({ value }: Written): boolean => owed.some(({ send }) => send.value === value);
  const within = world.filter(
    (record) => record.place >= startOf(scan) && (record.place < end || isOwedHere(record)),
  );
  const shown = shownPlaces(
    scan,
    world.map(({ value }) => value),
  );
  return within
    .filter((record) => !shows(scan, record.value) && !isLaterShown(shown, record))
    .every((record) => mayBeGone(model, scan, world, record, shown));
}

/** A later record that the scan shows superseded it, whenever that was. */
function isLaterShown(shown: readonly number[], { place }: Written): boolean {
  return shown.some((later) => later > place);
}

function mayBeGone(
  model: Model,
  scan: ModelScan,
  world: World,
  record: Written,
  shown: readonly number[],
): boolean {
  const read = chunkAt(scan, record.place);
  const returned = scan.chunks.at(-1)!.op.end + 2 * model.errorMs;
  const older = shown.filter((place) => place < record.place).map((place) => chunkAt(scan, place));
  const superseded =
    world.some(
      (other) => other !== record && other.place > record.place && other.sent <= returned,
    ) && older.every((chunk) => chunk !== read);
  const deleted =
    record.tombstone &&
    returned - record.sent >= model.deleteRetentionMs &&
    older.every(
      (chunk) =>
        chunk !== read && read.op.end - chunk.op.inv + 2 * model.errorMs >= model.deleteRetentionMs,
    );
  return superseded || deleted;
}

function chunkAt(scan: ModelScan, place: number): ModelChunk {
  return scan.chunks.find(({ next }) => place < next) ?? scan.chunks.at(-1)!;
}

function startOf(scan: ModelScan): number {
  return Math.max(...scan.chunks.map(({ start }) => start));
}

function shows(scan: ModelScan, value: Scalar): boolean {
  return scan.chunks.some(({ records }) => records.some(([, held]) => held === value));
}

/** Offsets at which the scan shows one of the values, in order. */
function shownPlaces(scan: ModelScan, values: readonly Scalar[]): readonly number[] {
  return scan.chunks
    .flatMap(({ records }) =>
      records.filter(([, value]) => values.includes(value)).map(([at]) => at),
    )
    .toSorted((a, b) => a - b);
}
