/**
 * Which setting permits an anomaly, by the table in CHECKERS.md. An absent setting permits nothing: what the system does
 * by default is its promise.
 */
import type { History } from '../../src/history/columns.ts';
import type { AnomalyName } from '../../src/spi/verdict.ts';

interface Permission {
  /** Kafka's own key, as results name it. */
  readonly setting: string;
  readonly permits: (config: Config) => boolean;
}

type Config = (key: string) => unknown;

const loss: readonly Permission[] = [
  { setting: 'acks', permits: (config) => config('acks') !== undefined && !isAll(config('acks')) },
  {
    setting: 'unclean.leader.election.enable',
    permits: (config) => isTrue(config('unclean.leader.election.enable')),
  },
  {
    setting: 'min.insync.replicas',
    permits: (config) => numberIn(config('min.insync.replicas')) === 1,
  },
];

const twice: readonly Permission[] = [
  { setting: 'enable.idempotence', permits: (config) => isFalse(config('enable.idempotence')) },
];

const overtaking: readonly Permission[] = [
  {
    setting: 'max.in.flight.requests.per.connection',
    permits: (config) =>
      isFalse(config('enable.idempotence')) &&
      (numberIn(config('max.in.flight.requests.per.connection')) ?? 0) > 1,
  },
];

/** Of readers that say nothing themselves; a reader with an isolation level of its own is judged by that. */
const uncommitted: readonly Permission[] = [
  {
    setting: 'isolation.level',
    permits: (config) => config('isolation.level') === 'read_uncommitted',
  },
];

/** Of members whose group had committed nothing; the checker decides which those are. */
const skipping: readonly Permission[] = [
  { setting: 'auto.offset.reset', permits: (config) => config('auto.offset.reset') === 'latest' },
];

const profile: readonly Permission[] = [{ setting: 'profile', permits: () => true }];

const table = new Map<AnomalyName, readonly Permission[]>([
  ['lost-write', loss],
  ['truncated-read', loss],
  ['inconsistent-offsets', loss],
  ['scan-divergence', loss],
  ['real-time-inversion', loss],
  ['duplicate', twice],
  ['nonmonotonic-send', overtaking],
  ['key-reordered', overtaking],
  ['aborted-read', uncommitted],
  ['group-skip', skipping],
  ['G0', profile],
  ['G0-process', profile],
  ['G0-realtime', profile],
  ['G1c-process', profile],
  ['G1c-realtime', profile],
  ['G-single', profile],
  ['G-single-process', profile],
  ['G-single-realtime', profile],
  ['G2-item', profile],
  ['G2-item-process', profile],
  ['G2-item-realtime', profile],
]);

/**
 * The setting of the history's header that permits `anomaly`, or null. What depends on the single instance is not decided
 * here: aborted-read of a reader with an isolation of its own, G1c (its ww edges), group-skip (a commit before it).
 */
export function permittedBy(history: History, anomaly: AnomalyName): string | null {
  const config = configOf(history);
  return table.get(anomaly)?.find(({ permits }) => permits(config))?.setting ?? null;
}

/** " (acks=1 permits this)" for the end of an explanation; empty where nothing does. */
export function permissionText(history: History, anomaly: AnomalyName): string {
  const setting = permittedBy(history, anomaly);
  if (setting === null || setting === 'profile') return '';
  return ` ${setting}=${String(configOf(history)(setting))} permits this.`;
}

/** True unless the header asks for fewer acknowledgements than all in-sync replicas. */
export function acksAll(history: History): boolean {
  const acks = configOf(history)('acks');
  return acks === undefined || isAll(acks);
}

/** After how long without catching up a replica leaves the in-sync set, ns; Kafka's default where not given. */
export function replicaLagNs(history: History): number {
  const defaultMs = 30_000;
  return (numberIn(configOf(history)('replica.lag.time.max.ms')) ?? defaultMs) * 1_000_000;
}

/** How long a tombstone stays at least, ns; Kafka's default, a day, where not given. */
export function deleteRetentionNs(history: History): number {
  const defaultMs = 86_400_000;
  return (numberIn(configOf(history)('delete.retention.ms')) ?? defaultMs) * 1_000_000;
}

/** Own keys only: nothing in a header reaches a prototype. */
function configOf(history: History): Config {
  const config = history.header.config ?? {};
  return (key) => (Object.hasOwn(config, key) ? config[key] : undefined);
}

function isAll(acks: unknown): boolean {
  return acks === 'all' || acks === -1 || acks === '-1';
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}

function isFalse(value: unknown): boolean {
  return value === false || value === 'false';
}

/** Kafka's tools write settings as text as often as numbers. */
function numberIn(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value.trim() === '') return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}
