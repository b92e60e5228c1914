/**
 * Labels on everything that a run puts on the host, and the identity of the harness that put it there: `clean` removes
 * what dead harnesses left and leaves living ones alone.
 */
import { readFileSync, readlinkSync } from 'node:fs';

export const labels = {
  /** On everything of ours: "1". */
  ours: 'ordeal',
  run: 'ordeal.run',
  node: 'ordeal.node',
  role: 'ordeal.role',
  harness: 'ordeal.harness',
} as const;

/**
 * "<pid>:<start>:<boot>:<pid namespace>": the start time (clock ticks since boot) tells a reused pid, the boot id a
 * reboot, the namespace a harness whose pids cannot be seen from here. "-" where the system does not say.
 */
export function harnessIdentity(): string {
  return [
    String(process.pid),
    startTicks(process.pid) ?? '-',
    bootId() ?? '-',
    pidNamespace() ?? '-',
  ].join(':');
}

export type HarnessState =
  | { readonly alive: true; readonly why: string }
  | { readonly alive: false; readonly why: string }
  /** It ran elsewhere: nothing here can tell. */
  | { readonly alive: 'unknown'; readonly why: string };

/** @param localEngine false for an engine of another machine: then another boot id says nothing. */
export function harnessState(identity: string | undefined, localEngine: boolean): HarnessState {
  const [pid = '', start = '-', boot = '-', namespace = '-'] = (identity ?? '').split(':');
  if (!/^[1-9]\d*$/.test(pid)) return { alive: false, why: 'it names no harness' };
  if (boot !== (bootId() ?? '-')) {
    return localEngine
      ? { alive: false, why: 'the machine was started anew since' }
      : { alive: 'unknown', why: 'its harness ran on another machine' };
  }
  if (namespace !== (pidNamespace() ?? '-')) {
    return { alive: 'unknown', why: 'its harness ran in another process namespace' };
  }
  if (start === '-') {
    return processExists(Number(pid))
      ? { alive: true, why: `process ${pid} exists` }
      : { alive: false, why: `process ${pid} is gone` };
  }
  const now = startTicks(Number(pid));
  if (now === null) return { alive: false, why: `harness ${pid} is gone` };
  return now === start
    ? { alive: true, why: `harness ${pid} is alive` }
    : { alive: false, why: `harness ${pid} is gone (another process has its number)` };
}

/** Labels of one thing of a run. */
export function runLabels(run: string, more: Readonly<Record<string, string>> = {}) {
  return { [labels.ours]: '1', [labels.run]: run, [labels.harness]: harnessIdentity(), ...more };
}

/** The filter that finds all things of ours, or of one run. */
export function labelFilter(run?: string): { label: string[] } {
  return { label: run === undefined ? [`${labels.ours}=1`] : [`${labels.run}=${run}`] };
}

/** Field 22 of /proc/<pid>/stat; a zombie has ended in every way that matters. */
function startTicks(pid: number): string | null {
  const text = read(`/proc/${pid}/stat`);
  if (text === null) return null;
  // The second field is the command in brackets and may hold spaces and brackets of its own.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return null;
  return fields[19] ?? null;
}

function bootId(): string | null {
  return read('/proc/sys/kernel/random/boot_id');
}

function pidNamespace(): string | null {
  try {
    return readlinkSync('/proc/self/ns/pid').replace(/[^0-9]/g, '');
  } catch {
    return null;
  }
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}
