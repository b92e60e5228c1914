/** The command `ordeal`: its subcommands, and the one place where whatever was thrown becomes an exit code. */
import { Command } from 'commander';
import { exitCodes } from '../core/errors.ts';
import { addCheckCommand } from './check.ts';
import { addCleanCommand } from './clean.ts';
import { addConvertCommand } from './convert.ts';
import { addDoctorCommand } from './doctor.ts';
import { addExploreCommand } from './explore.ts';
import { isHelp, reportFailure } from './failure.ts';
import { addListCommand } from './list.ts';
import { addReplayCommand } from './replay.ts';
import type { Session } from './session.ts';
import { addShrinkCommand } from './shrink.ts';
import { addSliceCommand } from './slice.ts';
import { addTestCommand } from './test.ts';

/** What a command sets when it ran to its end; the default is success. */
export interface Exit {
  code: number;
}

/**
 * Runs one command line.
 * @param args without node and script.
 * @returns the exit code; nothing is thrown.
 */
export async function runCommandLine(
  args: readonly string[],
  session: Session,
  version: string,
): Promise<number> {
  const exit: Exit = { code: exitCodes.valid };
  try {
    await createProgram(session, exit, version).parseAsync([...args], { from: 'user' });
    return exit.code;
  } catch (thrown) {
    if (isHelp(thrown)) return exitCodes.valid;
    return reportFailure(session, thrown, wantsJson(args));
  }
}

export function createProgram(session: Session, exit: Exit, version: string): Command {
  const program = new Command('ordeal')
    .description(
      'Puts a streaming system through faults, records what its clients saw, and proves or refutes what it promised.',
    )
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        session.stdout.write(text);
      },
      // Errors come back as exceptions and are explained once, with the next step.
      writeErr: () => undefined,
    })
    .addHelpText(
      'after',
      [
        '',
        'Exit codes: 0 valid, 1 invalid, 2 unknown, 254 bad arguments or input, 255 harness or environment failed,',
        '130 and 143 interrupted.',
        '',
        'Examples:',
        '  ordeal test --nemesis kill,pause,partition --time-limit 120s --seed 1',
        '  ordeal test --scenario acks-one',
        '  ordeal explore --runs 1000',
        '  ordeal check store/latest',
      ].join('\n'),
    );
  addTestCommand(program, session, exit);
  addExploreCommand(program, session, exit);
  addReplayCommand(program, session, exit);
  addShrinkCommand(program, session, exit);
  addSliceCommand(program, session, exit);
  addCheckCommand(program, session, exit);
  addConvertCommand(program, session, exit);
  addCleanCommand(program, session, exit);
  addDoctorCommand(program, session, exit);
  addListCommand(program, session);
  return program;
}

/** Whether an error is to be printed as JSON too: asked before the arguments are known to be well formed. */
function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  const flags = end === -1 ? args : args.slice(0, end);
  return flags.some(
    (flag, position) =>
      flag === '--json' ||
      flag === '--reporter=json' ||
      (flag === '--reporter' && flags[position + 1] === 'json'),
  );
}
