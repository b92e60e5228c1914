/** The first line of the history: what is known before anything starts. */
import type { Header } from '../history/event.ts';
import type { SystemInfo, TopicSpec } from '../spi/cluster.ts';
import type { RunOptions } from './options.ts';

export function createHeader(
  options: RunOptions,
  run: string,
  startedMs: number,
  system: SystemInfo,
  topics: readonly TopicSpec[],
): Header {
  return {
    ordeal: 1,
    run,
    started: new Date(startedMs).toISOString(),
    seed: options.seed,
    system: { ...system },
    ...(options.claims === null ? {} : { claims: options.claims }),
    faults: options.faults,
    config: options.config,
    topics: Object.fromEntries(
      topics.map((topic) => [
        topic.name,
        {
          partitions: topic.replicas.length,
          cleanup: topic.config['cleanup.policy'] ?? 'delete',
          writers: 'recorded' as const,
        },
      ]),
    ),
    clock: { errorNs: 0 },
    recoveryMs: options.limits.recoveryMs,
  };
}
