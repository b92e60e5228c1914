/** What every command says when it cannot do its work: what happened, then what to do next. */
import { CommanderError } from 'commander';
import { OrdealError, describeError, exitCodes } from '../core/errors.ts';
import type { Session } from './session.ts';

/** The document that --json prints in place of a result. */
export interface FailureDocument {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly next: string;
    /** Present once a run has a directory. */
    readonly run?: string;
  };
}

/** Everything thrown becomes a coded error; what was not one is a defect of ours. */
export function codedError(thrown: unknown): OrdealError {
  if (thrown instanceof OrdealError) return thrown;
  if (thrown instanceof CommanderError) return argumentError(thrown);
  return new OrdealError(
    'INTERNAL',
    `ordeal itself failed: ${describeError(thrown)}`,
    'run it again with ORDEAL_DEBUG=1 for the stack, and report it',
    { cause: thrown },
  );
}

export function failureDocument(error: OrdealError, runDirectory: string | null): FailureDocument {
  const { code, next } = error;
  const run = runDirectory === null ? {} : { run: runDirectory };
  return { error: { code, message: describeError(error), next, ...run } };
}

/**
 * Prints a failure on stderr, and on stdout as JSON where that was asked for.
 * @returns the exit code.
 */
export function reportFailure(session: Session, thrown: unknown, json: boolean): number {
  const error = codedError(thrown);
  explainFailure(session, error);
  if (json) {
    const document = failureDocument(error, session.runDirectory);
    session.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  }
  return error.exitCode;
}

/** The two lines for people, the run directory if there is one, and the stack on request. */
export function explainFailure(session: Session, error: OrdealError): void {
  const { stderr } = session;
  const cause = error.code === 'INTERNAL' ? error.message : describeError(error);
  stderr.write(`${stderr.paint('bad', 'ordeal:')} ${cause} [${error.code}]\n`);
  stderr.write(`next: ${error.next}\n`);
  if (session.runDirectory !== null) stderr.write(`run directory: ${session.runDirectory}\n`);
  if (session.environment['ORDEAL_DEBUG'] === '1') {
    const thrown = error.code === 'INTERNAL' ? (error.cause ?? error) : error;
    stderr.write(
      `${thrown instanceof Error ? (thrown.stack ?? thrown.message) : describeError(thrown)}\n`,
    );
  }
}

/** Commander's own words, with its suggestion (a second line in brackets) as the next step. */
function argumentError(thrown: CommanderError): OrdealError {
  if (thrown.code === 'commander.help') {
    return new OrdealError('BAD_ARGUMENT', 'no command was named', 'see ordeal --help');
  }
  const [message = '', suggestion = ''] = thrown.message.split('\n');
  const hint = suggestion.replace(/^\(|\)$/g, '');
  return new OrdealError(
    'BAD_ARGUMENT',
    message.replace(/^error: /, ''),
    hint === '' ? 'see ordeal --help, or ordeal COMMAND --help' : hint,
  );
}

/** Help and version are printed by throwing: no failure. */
export function isHelp(thrown: unknown): thrown is CommanderError {
  return thrown instanceof CommanderError && thrown.exitCode === exitCodes.valid;
}
