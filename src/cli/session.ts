/** One invocation of the command: its streams, its clock, and what a failure must be able to name. */
import { styleText } from 'node:util';
import type { Writable } from 'node:stream';
import { createRealClock } from '../core/clock.ts';
import type { Clock } from '../core/clock.ts';
import { plainPaint } from '../report/text.ts';
import type { Paint, Tone } from '../report/text.ts';

export interface Output {
  readonly isTerminal: boolean;
  /** Characters per line of a terminal; 100 where it is none. */
  columns(): number;
  write(text: string): void;
  /**
   * Resolves when all that was written has been handed to the system.
   * @returns why not, if the system did not take it; null if it did, and if nobody reads any more.
   */
  flush(): Promise<Error | null>;
  readonly paint: Paint;
}

export interface Session {
  readonly clock: Clock;
  /** Only reports, lists and JSON: what another program may read. */
  readonly stdout: Output;
  /** Progress, warnings and errors. */
  readonly stderr: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The directory of the run that is going on: every failure names it. */
  runDirectory: string | null;
  /** Undoes what a run has done to this machine; for defects that nobody caught. Idempotent. */
  emergency: (() => Promise<unknown>) | null;
}

type Stream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export function createSession(
  stdout: Stream,
  stderr: Stream,
  environment: Readonly<Record<string, string | undefined>>,
): Session {
  const clock = createRealClock();
  return {
    clock,
    stdout: createOutput(stdout, clock, environment),
    stderr: createOutput(stderr, clock, environment),
    environment,
    runDirectory: null,
    emergency: null,
  };
}

function createOutput(
  stream: Stream,
  clock: Clock,
  environment: Readonly<Record<string, string | undefined>>,
): Output {
  const isTerminal = stream.isTTY === true;
  let gone = false;
  let failure: Error | null = null;
  // A reader that went away (`ordeal check … | head`) is no failure: what is left is written nowhere.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    gone = true;
    if (error.code !== 'EPIPE') failure ??= error;
  });
  return {
    isTerminal,
    columns: () => stream.columns ?? 100,
    write: (text) => {
      if (!gone) stream.write(text);
    },
    flush: async () => {
      if (!gone && stream.writableLength > 0) {
        await new Promise<void>((resolve) => {
          stream.write('', () => {
            resolve();
          });
        });
      }
      // Errors of what was written at once are told a turn later.
      await clock.turn();
      return failure;
    },
    paint: isTerminal && wantsColour(environment) ? terminalPaint : plainPaint,
  };
}

/** NO_COLOR counts when it is not empty (no-color.org). */
function wantsColour(environment: Readonly<Record<string, string | undefined>>): boolean {
  const { NO_COLOR: noColour = '', TERM: terminal = '' } = environment;
  return noColour === '' && terminal !== 'dumb';
}

const formats = {
  good: 'green',
  bad: 'red',
  doubt: 'yellow',
  quiet: 'dim',
  strong: 'bold',
} as const satisfies Record<Tone, string>;

const terminalPaint: Paint = (tone, text) => styleText(formats[tone], text);
