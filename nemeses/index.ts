/** Every nemesis by name: what `--nemesis` accepts. */
import type { Nemesis } from '../src/spi/nemesis.ts';
import { kill } from './kill.ts';
import { partition } from './partition.ts';
import { pause } from './pause.ts';
import { powerLoss } from './power-loss.ts';

export const nemeses: ReadonlyMap<string, Nemesis> = new Map(
  [kill, pause, partition, powerLoss].map((nemesis) => [nemesis.name, nemesis]),
);
