/** From the history on disk to a result document: the same for a run that just ended and for `ordeal check` later. */
import { certifiable, certifyWitness } from '../../checkers/certify/index.ts';
import { checkHistory } from '../../checkers/index.ts';
import { OrdealError } from '../core/errors.ts';
import { loadHistory } from '../history/load.ts';
import type { Header } from '../history/event.ts';
import { anomalyNames } from '../spi/verdict.ts';
import type { ResultDocument } from '../spi/verdict.ts';
import { readRawEvents } from './raw-events.ts';

export interface Judgement {
  /** As the user named it. */
  readonly file: string;
  readonly header: Header;
  readonly document: ResultDocument;
}

/**
 * Loads and checks one history.
 * @param file a file, gzipped or not, a run directory, or `-` for standard input.
 * @param claims those of `--claims`, or null: then the header's count.
 * @throws OrdealError BAD_HISTORY or NO_SUCH_FILE.
 */
export async function judgeHistory(
  file: string,
  claims: readonly string[] | null,
): Promise<Judgement> {
  const history = await loadHistory(file);
  const document = checkHistory(history, claims === null ? {} : { claims });
  return { file, header: history.header, document };
}

/**
 * Re-proves every witness of a document from the raw lines of its file.
 * @returns how many hold.
 * @throws OrdealError INTERNAL for the first that does not.
 */
export async function certifyJudgement({ file, document }: Judgement): Promise<number> {
  const { header, events } = await readRawEvents(file);
  let held = 0;
  for (const name of anomalyNames) {
    if (!certifiable.includes(name)) continue;
    for (const witness of document.anomalies[name].witnesses) {
      const { holds, reason } = certifyWitness(header, events, name, witness);
      if (!holds) {
        throw new OrdealError(
          'INTERNAL',
          `${file}: a witness of ${name} (events ${witness.operations.join(', ')}) was not proved again: ${reason}`,
          'checker and certifier disagree, so this finding is in doubt: please report it with the history file',
        );
      }
      held += 1;
    }
  }
  return held;
}

/** One line that says what was judged: system, seed and run as far as the header knows them. */
export function titleOf({ file, header }: Judgement): string {
  const { system, seed, run } = header;
  const parts = [
    file === '-' ? 'standard input' : file,
    system === undefined ? undefined : `${system.name} ${system.version ?? ''}`.trim(),
    seed === undefined ? undefined : `seed ${seed}`,
    run === undefined ? undefined : `run ${run}`,
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}
