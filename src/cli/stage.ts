/** A cluster and all that a run on it is made of. Libraries of a cluster are loaded only where it was chosen. */
import type { Clock } from '../core/clock.ts';
import type { RunParts } from '../run/execute.ts';
import type { RunOptions } from '../run/options.ts';

export interface Stage {
  readonly parts: RunParts;
  /** Waits for what goes on upon this stage: virtual time passes only meanwhile. */
  carryOut<T>(run: Promise<T>): Promise<T>;
  /** Removes all that the cluster put on this machine; null: it puts nothing there. */
  readonly undo: (() => Promise<unknown>) | null;
}

export interface StageOptions {
  readonly options: RunOptions;
  /** Of the run; exists. */
  readonly directory: string;
  /** The machine's. */
  readonly clock: Clock;
  /** The second signal. */
  readonly hurry: AbortSignal;
  readonly progress: (line: string) => void;
}

/** Sets it up; nothing runs yet. @throws OrdealError DOCKER_UNREACHABLE, IMAGE_UNAVAILABLE. */
export async function createStage(given: StageOptions): Promise<Stage> {
  switch (given.options.cluster) {
    case 'docker':
      return (await import('./docker-stage.ts')).createDockerStage(given);
    case 'simulated':
      return (await import('./simulated-stage.ts')).createSimulatedStage(given);
  }
}
