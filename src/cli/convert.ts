/** `ordeal convert`: a history in the other format; what the other has no word for travels with it. */
import type { Command } from 'commander';
import { loadRawHistory } from '../history/load.ts';
import { formatCount } from '../report/view.ts';
import { parseTarget, writeHistory } from './history-file.ts';
import type { Exit } from './program.ts';
import type { Session } from './session.ts';

interface ConvertFlags {
  readonly to?: string;
}

export function addConvertCommand(program: Command, session: Session, exit: Exit): void {
  program
    .command('convert')
    .summary('turn a history from JSONL into EDN, or back')
    .description(
      'Writes a history in another format: JSONL of format 1, or EDN as jepsen.tests.kafka writes it. What EDN has no word for travels under keys that Jepsen ignores, so that the way back gives the same history. Names decide: .jsonl, .jsonl.gz, .edn, .edn.gz; a file that is there is replaced.',
    )
    .argument('<from>', 'a history, a run directory, a Jepsen store directory, or -')
    .argument('<to>', 'the file to write, or - for standard output')
    .option('--to <format>', 'jsonl or edn, where the name does not say it')
    .addHelpText(
      'after',
      [
        '',
        'Exit codes: 0, 254 bad arguments or no history, 255 the file could not be written.',
        '',
        'Examples:',
        '  ordeal convert store/latest history.edn',
        '  ordeal convert jepsen/store/latest history.jsonl.gz',
        '  ordeal convert history.edn - --to jsonl | head',
      ].join('\n'),
    )
    .action(async (from: string, to: string, flags: ConvertFlags) => {
      exit.code = await convert(session, from, to, flags);
    });
}

async function convert(
  session: Session,
  from: string,
  to: string,
  flags: ConvertFlags,
): Promise<number> {
  const target = parseTarget(to, flags.to, 'convert', null);
  const history = await loadRawHistory(from);
  for (const warning of history.warnings) session.stderr.write(`warning: ${warning}\n`);
  await writeHistory(session, target, history);
  const place = to === '-' ? 'standard output' : to;
  session.stderr.write(`${formatCount(history.events.length)} events written to ${place}\n`);
  return 0;
}
