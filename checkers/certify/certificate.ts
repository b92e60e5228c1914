/** What every certifier takes and gives. */
import type { Witness } from '../../src/spi/verdict.ts';
import type { Operation, Replay } from './replay.ts';

export interface Certificate {
  readonly holds: boolean;
  /** Why it does not hold; how it was re-proved where it does. */
  readonly reason: string;
}

export interface Claim {
  readonly replay: Replay;
  /** The operations that the witness names, in its order. */
  readonly ops: readonly Operation[];
  readonly witness: Witness;
}

export function verdict(holds: boolean, otherwise: string): Certificate {
  return { holds, reason: holds ? 'proved again from the events' : otherwise };
}
