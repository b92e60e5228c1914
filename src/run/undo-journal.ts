/** The undo journal: one line on disk before a fault is done, one after it was undone. */
import type { UndoJournal } from '../spi/nemesis.ts';
import type { RunFiles } from './run-files.ts';

export const undoJournalName = 'undo.jsonl';

/** Lines are appended one after the other, in the order of the calls. */
export function createUndoJournal(files: RunFiles): UndoJournal {
  let tail: Promise<void> = Promise.resolve();
  const append = (entry: unknown): Promise<void> => {
    const appended = tail.then(() => files.appendLine(undoJournalName, JSON.stringify(entry)));
    // A line that failed must not keep later ones from being tried; its own caller is told.
    tail = appended.catch(() => undefined);
    return appended;
  };
  return {
    plan: (entry) => append({ undo: 'plan', ...entry }),
    done: (fault) => append({ undo: 'done', fault }),
  };
}
