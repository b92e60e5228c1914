/** `ordeal check FILE…`: judges saved histories. Needs no cluster and no Docker. */
import type { Command } from 'commander';
import { OrdealError } from '../core/errors.ts';
import { orderDocument, renderJson } from '../report/json.ts';
import { assertResultDocument } from '../report/schema.ts';
import { renderText } from '../report/text.ts';
import { viewOf } from '../report/view.ts';
import { exitOfVerdict, mergeExits } from './exit.ts';
import { codedError, explainFailure, failureDocument } from './failure.ts';
import { parseClaims } from './flags.ts';
import { certifyJudgement, judgeHistory, titleOf } from './judge.ts';
import type { Judgement } from './judge.ts';
import type { Exit } from './program.ts';
import type { Session } from './session.ts';

interface CheckOptions {
  readonly claims?: string;
  readonly json?: boolean;
  readonly certify?: boolean;
}

type Outcome =
  | { readonly file: string; readonly judgement: Judgement }
  | { readonly file: string; readonly error: OrdealError };

export function addCheckCommand(program: Command, session: Session, exit: Exit): void {
  program
    .command('check')
    .summary('judge saved histories')
    .description(
      'Judges histories: JSONL files of format 1 or EDN files of jepsen.tests.kafka, gzipped or not, run directories, Jepsen store directories, or - for standard input.',
    )
    .argument('<file...>', 'histories, run directories or Jepsen store directories')
    .option('--claims <names>', "claims to demand in place of the header's, with commas")
    .option('--certify', 'prove each witness again, by code that shares nothing with the checkers')
    .option('--json', 'print the result document; for several files an array, one entry per file')
    .addHelpText(
      'after',
      [
        '',
        'Exit codes: 0 valid, 1 invalid, 2 unknown, 254 a file cannot be read or is no history; of several files the',
        'worst decides: 255, 254, 1, 2, 0.',
        '',
        'Examples:',
        '  ordeal check store/latest',
        '  ordeal check history.jsonl --claims durability,no-duplicates',
        '  ordeal check jepsen/store/latest',
        '  gunzip -c history.jsonl.gz | ordeal check - --json',
      ].join('\n'),
    )
    .action(async (files: readonly string[], options: CheckOptions) => {
      exit.code = await checkFiles(session, files, options);
    });
}

/** Every file is judged, whatever becomes of the others. */
async function checkFiles(
  session: Session,
  files: readonly string[],
  options: CheckOptions,
): Promise<number> {
  const claims = options.claims === undefined ? null : parseClaims(options.claims);
  refuseStandardInputTwice(files, options);
  const outcomes: Outcome[] = [];
  for (const file of files) {
    const outcome = await checkFile(session, file, claims, options.certify === true);
    outcomes.push(outcome);
    if (options.json !== true) printText(session, outcome, outcomes.length > 1);
    else if ('error' in outcome) explainFailure(session, outcome.error);
  }
  if (options.json === true) session.stdout.write(jsonOf(outcomes));
  return mergeExits(
    outcomes.map((outcome) =>
      'error' in outcome ? outcome.error.exitCode : exitOfVerdict(outcome.judgement.document.valid),
    ),
  );
}

async function checkFile(
  session: Session,
  file: string,
  claims: readonly string[] | null,
  certify: boolean,
): Promise<Outcome> {
  try {
    const judgement = await judgeHistory(file, claims);
    assertResultDocument(judgement.document);
    if (certify) {
      const held = await certifyJudgement(judgement);
      session.stderr.write(`${file}: ${held} witnesses proved again\n`);
    }
    return { file, judgement };
  } catch (thrown) {
    return { file, error: codedError(thrown) };
  }
}

function refuseStandardInputTwice(files: readonly string[], options: CheckOptions): void {
  const standardInputs = files.filter((file) => file === '-').length;
  if (standardInputs <= (options.certify === true ? 0 : 1)) return;
  throw new OrdealError(
    'BAD_ARGUMENT',
    '- (standard input) can be read only once',
    'save it to a file, and name the file',
  );
}

function printText(session: Session, outcome: Outcome, isLater: boolean): void {
  const { stdout } = session;
  if ('error' in outcome) {
    explainFailure(session, outcome.error);
    return;
  }
  const view = viewOf(outcome.judgement.document, titleOf(outcome.judgement));
  stdout.write(`${isLater ? '\n' : ''}${renderText(view, stdout.paint)}`);
}

/** One file: its document, or its error. Several: an array in the order of the arguments. */
function jsonOf(outcomes: readonly Outcome[]): string {
  const [only] = outcomes;
  if (only !== undefined && outcomes.length === 1) {
    if (!('error' in only)) return renderJson(only.judgement.document);
    return `${JSON.stringify(failureDocument(only.error, null), null, 2)}\n`;
  }
  const entries = outcomes.map((outcome) =>
    'error' in outcome
      ? { file: outcome.file, ...failureDocument(outcome.error, null) }
      : { file: outcome.file, result: orderDocument(outcome.judgement.document) },
  );
  return `${JSON.stringify(entries, null, 2)}\n`;
}
