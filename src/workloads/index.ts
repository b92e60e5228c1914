/** Every workload by name: what `--workload` accepts. */
import type { Workload } from '../spi/workload.ts';
import { groupsWorkload } from './groups.ts';
import { logWorkload } from './log.ts';

export const workloads: ReadonlyMap<string, Workload> = new Map(
  [logWorkload, groupsWorkload].map((workload) => [workload.name, workload]),
);
