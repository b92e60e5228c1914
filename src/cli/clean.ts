/** `ordeal clean`: removes what a harness left on this machine when it was killed before it could. */
import type { Command } from 'commander';
import { exitCodes } from '../core/errors.ts';
import type { Exit } from './program.ts';
import type { Session } from './session.ts';

interface CleanOptions {
  readonly all?: boolean;
  readonly run?: string;
  readonly json?: boolean;
}

export function addCleanCommand(program: Command, session: Session, exit: Exit): void {
  program
    .command('clean')
    .summary('remove what a killed harness left: containers, networks, volumes')
    .description(
      'Removes containers, networks and volumes that carry the label of ordeal and whose harness is gone; with them go firewall rules and frozen processes. Runs that are alive are left alone, unless --all is given.',
    )
    .option('--all', 'also what belongs to runs that still go on')
    .option('--run <id>', 'only what belongs to this run')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  ordeal clean\n  ordeal clean --run 20251121T073412.123Z-4711\n  ordeal clean --all --json',
    )
    .action(async (options: CleanOptions) => {
      const { json = false, ...which } = options;
      const { cleanDocker } = await import('../clusters/docker/index.ts');
      const report = await cleanDocker(which, (line) => {
        if (!json) session.stdout.write(`${line}\n`);
      });
      if (json) session.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
      else if (report.removed.length + report.left.length === 0) {
        session.stdout.write('nothing to clean\n');
      }
      // With --all nothing is left alone on purpose: what is left could not be removed.
      if (options.all === true && report.left.length > 0) exit.code = exitCodes.environment;
    });
}
