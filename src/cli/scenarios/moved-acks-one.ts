/**
 * acks=1 acknowledges what only the leader holds, and an orderly change of leaders is enough to lose it: the old leader
 * becomes a follower and truncates what the new one had not fetched yet. Nothing crashes. Replication is cut for a moment
 * before each move, shorter than replica.lag.time.max.ms, so that every replica still counts as in sync.
 */
import type { ScheduledFault } from '../../spi/nemesis.ts';
import { hurtLog, soundSettings } from './scenario.ts';
import type { Scenario } from './scenario.ts';

const movesAtMs = [4_500, 11_500, 18_500, 25_500];
const leader = { role: 'leader', ...hurtLog } as const;

function cutAndMove(atMs: number, position: number): readonly ScheduledFault[] {
  return [
    {
      id: `f${2 * position + 1}`,
      nemesis: 'partition',
      atMs: atMs - 1_500,
      durationMs: 2_500,
      plan: { target: leader, variant: 'replication-only' },
    },
    {
      id: `f${2 * position + 2}`,
      nemesis: 'move-leader',
      atMs,
      durationMs: 2_000,
      plan: { target: leader, variant: 'preferred-election' },
    },
  ];
}

export const movedAcksOne: Scenario = {
  name: 'moved-acks-one',
  summary:
    'acks=1, ten producers; leadership is moved to a follower in sync and back, four times, with replication cut for 2.5 s; nothing crashes',
  expects: [['lost-write']],
  claims: ['durability', 'integrity'],
  workload: 'log',
  topics: 1,
  partitions: 1,
  concurrency: 10,
  ratePerSecond: 150,
  faultsMs: 29_000,
  schedule: movesAtMs.flatMap(cutAndMove),
  settings: {
    ...soundSettings,
    producer: { ...soundSettings.producer, acks: 1, idempotent: false },
  },
  control: soundSettings,
  controlSummary: 'acks=all, idempotent',
  clientDefects: [],
};
