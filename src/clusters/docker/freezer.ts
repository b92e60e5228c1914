/** The freezer's own word about a process, read from the kernel's control groups rather than from Docker's memory. */
import { readFileSync } from 'node:fs';

const root = '/sys/fs/cgroup';

/**
 * Whether the control group of a process on this machine is frozen; null where the kernel cannot be asked (another
 * machine's engine, no such process, control groups mounted elsewhere). With an engine in another pid namespace the
 * number is a stranger's here, so it counts only if its control group names the container.
 * @param container full id.
 */
export function frozenByKernel(pid: number, container: string): boolean | null {
  const groups = read(`/proc/${pid}/cgroup`);
  if (groups?.includes(container) !== true) return null;
  const { freezer, unified } = cgroupPaths(groups);
  if (freezer !== null) {
    const state = read(`${root}/freezer${freezer}/freezer.state`);
    if (state !== null) return state === 'FROZEN';
  }
  if (unified !== null) {
    const events = read(`${root}${unified}/cgroup.events`);
    if (events !== null) return /^frozen 1$/m.test(events);
  }
  return null;
}

/** Paths from /proc/<pid>/cgroup: "7:freezer:/docker/…" of version 1, "0::/…" of version 2. */
export function cgroupPaths(text: string): {
  readonly freezer: string | null;
  readonly unified: string | null;
} {
  let freezer: string | null = null;
  let unified: string | null = null;
  for (const line of text.split('\n')) {
    const match = /^(\d+):([^:]*):(.*)$/.exec(line);
    if (match === null) continue;
    if (match[2]?.split(',').includes('freezer') === true) freezer = match[3] ?? null;
    else if (match[1] === '0' && match[2] === '') unified = match[3] ?? null;
  }
  return { freezer, unified };
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}
