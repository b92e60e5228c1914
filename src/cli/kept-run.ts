/** Gives a run that happened in memory the directory that it would have had. */
import { renderJson } from '../report/json.ts';
import { plainPaint, renderText } from '../report/text.ts';
import { viewOf } from '../report/view.ts';
import type { Header, HistoryEvent } from '../history/event.ts';
import { eventLine, headerLine } from '../history/write.ts';
import { decisionFiles } from '../run/decisions.ts';
import type { RunOptions } from '../run/options.ts';
import type { ResultDocument } from '../spi/verdict.ts';
import { titleOf } from './judge.ts';
import { createRunDirectory, discardRunDirectory, runFiles, writeRunFile } from './store.ts';

/** A history as it came out of a run or a slice. */
export interface RecordedRun {
  readonly header: Header;
  readonly events: readonly HistoryEvent[];
}

/** The lines of its file, each with its newline. */
export function* linesOf({ header, events }: RecordedRun): Generator<string> {
  yield `${headerLine(header)}\n`;
  for (const event of events) yield `${eventLine(event)}\n`;
}

export interface KeptPlace {
  readonly store: string;
  readonly test: string;
  readonly wallMs: number;
  /** Tells runs that are kept at one instant from each other; null where there is one. */
  readonly label: string | null;
}

/**
 * All of it, or nothing.
 * @param options null where none are known: a history out of a file.
 * @returns the directory: store/<test>/<time>, with the label.
 * @throws OrdealError STORE_IO.
 */
export async function keepRun(
  { store, test, wallMs, label }: KeptPlace,
  options: RunOptions | null,
  run: RecordedRun,
  document: ResultDocument,
): Promise<string> {
  const made = await createRunDirectory(store, test, wallMs, label);
  try {
    await writeRun(made.path, options, run, document);
  } catch (thrown) {
    await discardRunDirectory(made);
    throw thrown;
  }
  return made.path;
}

async function writeRun(
  path: string,
  options: RunOptions | null,
  run: RecordedRun,
  document: ResultDocument,
): Promise<void> {
  await writeRunFile(path, runFiles.history, [...linesOf(run)].join(''));
  for (const { name, text } of options === null ? [] : decisionFiles(options)) {
    await writeRunFile(path, name, text);
  }
  const title = titleOf({ file: path, header: run.header, document });
  await writeRunFile(path, runFiles.results, renderJson(document));
  await writeRunFile(path, runFiles.report, renderText(viewOf(document, title), plainPaint));
}
