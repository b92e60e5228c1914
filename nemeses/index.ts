/** Every nemesis by name: what `--nemesis` accepts. */
import type { Nemesis } from '../src/spi/nemesis.ts';
import { freezeMember } from './freeze-member.ts';
import { kill } from './kill.ts';
import { moveLeader } from './move-leader.ts';
import { partition } from './partition.ts';
import { pause } from './pause.ts';
import { powerLoss } from './power-loss.ts';
import { wipe } from './wipe.ts';

export const nemeses: ReadonlyMap<string, Nemesis> = new Map(
  [kill, pause, partition, powerLoss, moveLeader, wipe, freezeMember].map((nemesis) => [
    nemesis.name,
    nemesis,
  ]),
);
