/** When a run cannot end in good order: what it did to the machine is undone, bounded, before the process ends. */
import { withDeadline } from '../core/bounded.ts';
import { exitCodes } from '../core/errors.ts';
import { exitOfInterrupt } from './exit.ts';
import { reportFailure } from './failure.ts';
import { listenForSignals } from './interrupt.ts';
import type { InterruptSignal, Interruption } from './interrupt.ts';
import type { Session } from './session.ts';

/** Long enough to heal and remove three pods. */
const emergencyTimeoutMs = 60_000;

/** @returns whether nothing of a run is left; never rejects. */
export async function undoAll(session: Session): Promise<boolean> {
  if (session.emergency === null) return true;
  const undone = await withDeadline(session.clock, emergencyTimeoutMs, session.emergency());
  if (undone.status === 'done') return true;
  session.stderr.write('not everything could be undone: run ordeal clean\n');
  return false;
}

/** The signals of this process, for commands that run something: told on stderr, and obeyed to the third. */
export function listenForRun(session: Session): Interruption {
  const say = (line: string): void => {
    session.stderr.write(`\n${line}\n`);
  };
  return listenForSignals(process, say, (signal) => {
    void giveUp(session, signal);
  });
}

/** The end of a process that was asked three times: 130 or 143 only if nothing of the run is left. */
async function giveUp(session: Session, signal: InterruptSignal): Promise<void> {
  const isUndone = await undoAll(session);
  process.exit((isUndone ? exitOfInterrupt(signal) : null) ?? exitCodes.environment);
}

export interface Defects {
  /** Takes what nobody caught. After the first the process is in no state to go on: it undoes, and ends with 255. */
  readonly report: (thrown: unknown) => void;
  /** The exit code of a command line that ran to its end with `code`: after a defect 255, once everything is undone. */
  readonly exitCode: (code: number) => Promise<number>;
}

/** @param exit ends the process. */
export function createDefects(session: Session, exit: (code: number) => void): Defects {
  let undoing: Promise<unknown> | null = null;
  return {
    report: (thrown) => {
      reportFailure(session, thrown, false);
      if (undoing !== null) return;
      undoing = undoAll(session).finally(() => {
        exit(exitCodes.environment);
      });
    },
    exitCode: async (code) => {
      if (undoing === null) return code;
      await undoing;
      return exitCodes.environment;
    },
  };
}
