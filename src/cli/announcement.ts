/** What a run prints first: its seed, everything that was decided, its faults, and how to run it again. Pure. */
import { formatDurationMs } from '../core/units.ts';
import type { RunOptions } from '../run/options.ts';
import type { Role, ScheduledFault } from '../spi/nemesis.ts';
import { flagName } from './flags.ts';

/** Flags that change where results go, not what the run does. */
const notReproduced = ['seed', 'store', 'json', 'reporter', 'testCount', 'leaveRunning'];

/** Options that say nothing on the other cluster. */
const dockerKeys = ['image', 'brokerVersion', 'leaveRunning'];
const simulatedKeys = ['simulated'];

export function announcementLines(
  options: RunOptions,
  given: Readonly<Record<string, unknown>>,
): readonly string[] {
  return [
    titleLine(options),
    `reproduce with: ${reproduceCommand(given, options.seed)}`,
    ...optionLines(options),
  ];
}

/** What stands first, whatever goes wrong later. */
export function titleLine({ test, seed }: RunOptions): string {
  return `test ${test}, seed ${seed}`;
}

/** Everything that was decided but test and seed, and the faults. */
export function optionLines(options: RunOptions): readonly string[] {
  const { schedule, ...decided } = options;
  const idle = options.cluster === 'simulated' ? dockerKeys : simulatedKeys;
  return [
    ...Object.entries(decided)
      .filter(([key]) => key !== 'test' && key !== 'seed' && !idle.includes(key))
      .map(
        ([key, value]) => `  ${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
      ),
    schedule.length === 0
      ? '  no faults'
      : `  ${schedule.length} ${schedule.length === 1 ? 'fault' : 'faults'}:`,
    ...schedule.map((fault) => `    ${faultText(fault)}`),
  ];
}

/** The command that does the same again, in terms of the flags that were typed. */
export function reproduceCommand(given: Readonly<Record<string, unknown>>, seed: string): string {
  const words = Object.entries(given)
    .filter(([key]) => !notReproduced.includes(key))
    .flatMap(([key, value]) =>
      value === true ? [flagName(key)] : [flagName(key), quote(String(value))],
    );
  return ['ordeal test', ...words, '--seed', seed].join(' ');
}

/** "f1 at 3.0s for 10.0s: partition isolate, leader of orders/0". */
export function faultText({ id, nemesis, atMs, durationMs, plan }: ScheduledFault): string {
  const when = `${id} at ${formatDurationMs(atMs)} for ${formatDurationMs(durationMs)}`;
  return `${when}: ${nemesis} ${plan.variant}, ${roleText(plan.target)}`;
}

function roleText(role: Role): string {
  switch (role.role) {
    case 'node':
      return `node ${role.node}`;
    case 'leader':
    case 'follower':
      return `${role.role} of ${role.topic}/${role.partition}`;
    case 'controller':
      return 'active controller';
    case 'group-coordinator':
      return `coordinator of group ${role.key}`;
    case 'transaction-coordinator':
      return `coordinator of ${role.key}`;
    case 'minority':
      return `minority ${role.controller} the controller`;
    case 'majority':
      return 'majority';
    case 'all':
      return 'all nodes';
    case 'client':
      return 'one of the clients that are processes';
  }
}

/** For a POSIX shell. */
function quote(word: string): string {
  return /^[\w.,:/@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
