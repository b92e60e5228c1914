/** Every workload by name: what `--workload` accepts. */
import type { Workload } from '../spi/workload.ts';
import { compactionWorkload } from './compaction.ts';
import { groupsWorkload } from './groups.ts';
import { logWorkload } from './log.ts';

export const workloads: ReadonlyMap<string, Workload> = new Map(
  [logWorkload, groupsWorkload, compactionWorkload].map((workload) => [workload.name, workload]),
);
