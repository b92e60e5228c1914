/** Watches who leads which log, about once a second, and whether the cluster is whole; changes become observations. */
import type { Clock } from '../core/clock.ts';
import { describeError } from '../core/errors.ts';
import type { LogName } from '../history/event.ts';
import type { AdminPort, Health } from '../spi/cluster.ts';
import { mergeViews } from './picture.ts';
import type { RunRecord } from './run-record.ts';

const watchIntervalMs = 1_000;
const viewTimeoutMs = 1_000;
const healthTimeoutMs = 2_000;

export interface LeaderWatch {
  /** Looks until `stop` aborts. */
  run(stop: AbortSignal): Promise<void>;
  /** Looks once now and records what changed. */
  look(): Promise<void>;
  /** Asks for health now and records a change; an admin port that throws counts as not healthy. */
  health(): Promise<Health>;
}

export function createLeaderWatch(
  clock: Clock,
  admin: AdminPort,
  record: RunRecord,
  logs: ReadonlySet<LogName>,
): LeaderWatch {
  const known = new Map<LogName, { readonly leader: number; readonly leaderEpoch: number }>();
  let knownHealth = '';

  const look = async (): Promise<void> => {
    for (const [log, view] of mergeViews(await viewsOf(admin)).partitions) {
      // A log without leader is between two: the next leader comes with a higher epoch and counts once.
      if (!logs.has(log) || view.leader < 0) continue;
      const before = known.get(log);
      const newer = before === undefined || view.leaderEpoch > before.leaderEpoch;
      if (!newer) continue;
      const { leader, leaderEpoch } = view;
      known.set(log, { leader, leaderEpoch });
      record.observe('leader', { log, leader, leaderEpoch });
    }
  };

  const health = async (): Promise<Health> => {
    const now = await healthOf(admin);
    const text = JSON.stringify(now);
    if (text !== knownHealth) {
      knownHealth = text;
      record.observe('health', { healthy: now.healthy, missing: now.missing });
    }
    return now;
  };

  return {
    look,
    health,
    run: async (stop) => {
      for (let round = 0; !stop.aborted; round += 1) {
        await look();
        if (round % 2 === 1) await health();
        await clock.sleep(watchIntervalMs, stop);
      }
    },
  };
}

async function viewsOf(admin: AdminPort): ReturnType<AdminPort['views']> {
  try {
    return await admin.views(viewTimeoutMs);
  } catch {
    // Nobody could be asked: the next look is a second away.
    return [];
  }
}

async function healthOf(admin: AdminPort): Promise<Health> {
  try {
    return await admin.health(healthTimeoutMs);
  } catch (thrown) {
    return { healthy: false, missing: [describeError(thrown)] };
  }
}
