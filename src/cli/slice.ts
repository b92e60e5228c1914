/**
 * `ordeal slice`: a small history around something in a large one. It is closed: it holds whatever its operations need, and
 * every finding in it is one of the whole history too (src/history/slice-closure.ts).
 */
import type { Command } from 'commander';
import { OrdealError } from '../core/errors.ts';
import { loadRawHistory } from '../history/load.ts';
import type { RawHistory } from '../history/load-text.ts';
import { parseLogName } from '../history/log-name.ts';
import { sliceAroundEvents } from '../history/slice-around.ts';
import { Slicer } from '../history/slice.ts';
import { formatCount } from '../report/view.ts';
import { parseTarget, writeHistory } from './history-file.ts';
import type { Exit } from './program.ts';
import type { Session } from './session.ts';

interface SliceFlags {
  readonly aroundOperation?: readonly string[];
  readonly aroundOffset?: readonly string[];
  readonly fromTime?: string;
  readonly toTime?: string;
  readonly aroundTime?: string;
  readonly window?: string;
  readonly output: string;
}

/** What is taken around a moment where nothing else is said. */
const defaultWindow = '2s';

export function addSliceCommand(program: Command, session: Session, exit: Exit): void {
  const collect = (given: string, before: readonly string[] = []): readonly string[] => [
    ...before,
    ...given.split(','),
  ];
  program
    .command('slice')
    .summary('cut a small history out of a large one')
    .description(
      'Writes the part of a history around operations, offsets or times, with whatever they need: who wrote what they saw, who opened their epochs, the whole scan of an audit. Every finding in a slice is one of the whole history too. Each event has its index in the whole as origin.',
    )
    .argument('<history>', 'a history, a run directory, a Jepsen store directory, or -')
    .option('--around-operation <index>', 'an event of an operation; several with commas', collect)
    .option('--around-offset <log@offset>', 'what stood there; several with commas', collect)
    .option('--from-time <time>', 'since then, from the start of the history')
    .option('--to-time <time>', 'until then')
    .option('--around-time <time>', 'half a window before and after')
    .option('--window <time>', `width of the window (default: ${defaultWindow})`)
    .option('-o, --output <file>', 'where to, by name .jsonl or .edn, also .gz', '-')
    .addHelpText(
      'after',
      [
        '',
        'Exit codes: 0, 254 bad arguments or no history, 255 the file could not be written.',
        '',
        'Examples:',
        '  ordeal slice store/latest --around-operation 417 --around-operation 90211 -o witness.jsonl',
        '  ordeal slice history.jsonl.gz --around-offset orders/0@412 | ordeal check -',
        '  ordeal slice store/latest --from-time 12s --to-time 14s -o storm.jsonl.gz',
        '  ordeal slice history.edn --around-time 95.5s --window 500ms -o moment.edn',
      ].join('\n'),
    )
    .action(async (path: string, flags: SliceFlags) => {
      exit.code = await slice(session, path, flags);
    });
}

async function slice(session: Session, path: string, flags: SliceFlags): Promise<number> {
  const target = parseTarget(flags.output, undefined, '--output', 'jsonl');
  const asked = parseAsked(flags);
  const whole = await loadRawHistory(path);
  for (const warning of whole.warnings) session.stderr.write(`warning: ${warning}\n`);
  const part = cut(whole, asked);
  await writeHistory(session, target, part);
  const place = target.path === '-' ? 'standard output' : target.path;
  const counts = `${formatCount(part.events.length)} of ${formatCount(whole.events.length)} events`;
  session.stderr.write(`${counts} written to ${place}\n`);
  return 0;
}

interface Place {
  readonly log: string;
  readonly offset: number;
}

interface Asked {
  readonly operations: readonly number[];
  readonly places: readonly Place[];
  readonly fromNs: number | null;
  readonly toNs: number | null;
}

/** What was asked for together: the slice holds all of it. */
function cut(whole: RawHistory, asked: Asked): RawHistory {
  const slicer = new Slicer(whole);
  for (const index of asked.operations) refuseUnknown(whole, index);
  const events = [...asked.operations, ...eventsBetween(whole, asked)];
  return sliceAroundEvents(
    slicer,
    events,
    asked.places.flatMap((place) => recordsAt(slicer, place)),
  );
}

function refuseUnknown({ events }: RawHistory, index: number): void {
  if (index < events.length) return;
  const held = events.length === 0 ? 'none' : `0 to ${events.length - 1}`;
  throw refused(
    `--around-operation: there is no event ${index}; the history has ${held}`,
    'name the index of an event, as reports do behind "events"',
  );
}

function eventsBetween({ events }: RawHistory, { fromNs, toNs }: Asked): readonly number[] {
  if (fromNs === null && toNs === null) return [];
  const [from, to] = [fromNs ?? 0, toNs ?? Infinity];
  const within = events.filter(({ time }) => time >= from && time <= to).map(({ index }) => index);
  if (within.length > 0) return within;
  const seconds = (ns: number): string => `${(ns / 1e9).toFixed(3)}s`;
  const last = events.at(-1);
  throw refused(
    `no event lies between ${seconds(from)} and ${to === Infinity ? 'the end' : seconds(to)}`,
    last === undefined
      ? 'the history has no events'
      : `name times from ${seconds(events[0]?.time ?? 0)} to ${seconds(last.time)}`,
  );
}

function recordsAt(slicer: Slicer, { log, offset }: Place): readonly number[] {
  const records = slicer.standingAt(log, offset);
  if (records.length > 0) return records;
  const logs = [...new Set(slicer.index.records.map((record) => record.log))].sort();
  throw refused(
    `--around-offset: nothing was acknowledged or seen at ${log}@${offset}`,
    logs.includes(log)
      ? 'name an offset that an answer, a poll or an audit names'
      : `logs of this history are ${logs.slice(0, 10).join(', ')}`,
  );
}

function parseAsked(flags: SliceFlags): Asked {
  const { aroundOperation = [], aroundOffset = [] } = flags;
  const operations = aroundOperation.map(parseIndex);
  const places = aroundOffset.map(parsePlace);
  const { fromNs, toNs } = parseTimes(flags);
  if (operations.length + places.length === 0 && fromNs === null && toNs === null) {
    throw refused(
      'slice: nothing says around what',
      'add --around-operation, --around-offset, --around-time, or --from-time and --to-time',
    );
  }
  return { operations, places, fromNs, toNs };
}

function parseIndex(given: string): number {
  const index = /^\d{1,15}$/.test(given) ? Number(given) : null;
  if (index !== null) return index;
  throw refused(
    `--around-operation: "${given}" is not the index of an event`,
    'give a whole number, for example 417',
  );
}

function parsePlace(given: string): Place {
  const at = given.lastIndexOf('@');
  const [log, offset] = [given.slice(0, Math.max(at, 0)), given.slice(at + 1)];
  if (/^\d{1,15}$/.test(offset) && parseLogName(log)?.partition != null) {
    return { log, offset: Number(offset) };
  }
  throw refused(
    `--around-offset: "${given}" is no place in a log`,
    'write topic/partition@offset, for example orders/0@412',
  );
}

function parseTimes({ fromTime, toTime, aroundTime, window }: SliceFlags) {
  const [fromNs, toNs] = [parseNs(fromTime, '--from-time'), parseNs(toTime, '--to-time')];
  const aroundNs = parseNs(aroundTime, '--around-time');
  if (aroundNs === null) {
    if (window !== undefined) {
      throw refused('--window is the width around --around-time', 'add --around-time');
    }
    if (fromNs !== null && toNs !== null && fromNs > toNs) {
      throw refused('--from-time is later than --to-time', 'exchange them');
    }
    return { fromNs, toNs };
  }
  if (fromNs !== null || toNs !== null) {
    throw refused(
      '--around-time cannot be given with --from-time or --to-time',
      'give either a moment with its window, or both ends',
    );
  }
  const half = (parseNs(window ?? defaultWindow, '--window') ?? 0) / 2;
  return { fromNs: Math.max(0, aroundNs - half), toNs: aroundNs + half };
}

const unitsNs: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 6e10,
  h: 3.6e12,
};

function parseNs(given: string | undefined, flag: string): number | null {
  if (given === undefined) return null;
  const match = /^(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)$/.exec(given.trim());
  const ns = match === null ? Number.NaN : Number(match[1]) * (unitsNs[match[2] ?? ''] ?? 0);
  if (Number.isFinite(ns) && ns <= Number.MAX_SAFE_INTEGER) return ns;
  throw refused(
    `${flag}: "${given}" is not a time`,
    'write a number with its unit, for example 500ms, 12.5s or 2m',
  );
}

function refused(message: string, next: string): OrdealError {
  return new OrdealError('BAD_ARGUMENT', message, next);
}
