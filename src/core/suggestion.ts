/** "Did you mean …": the known name that is closest to what was typed. Pure. */
import { OrdealError } from './errors.ts';

/** The closest of `known` within a third of the word's length (at least 2) edits, or null. */
export function closestName(given: string, known: readonly string[]): string | null {
  const editsMax = Math.max(2, Math.floor(given.length / 3));
  let best: string | null = null;
  let bestEdits = editsMax + 1;
  for (const name of known) {
    const edits = editDistance(given.toLowerCase(), name.toLowerCase());
    if (edits < bestEdits) {
      best = name;
      bestEdits = edits;
    }
  }
  return best;
}

/** The error for a name that is none of `known`; `what` says what it should have been ("--workload", "claim"). */
export function unknownName(what: string, given: string, known: readonly string[]): OrdealError {
  const closest = closestName(given, known);
  const all = `${known.length === 1 ? 'the only one is' : 'known are'} ${known.join(', ')}`;
  return new OrdealError(
    'BAD_ARGUMENT',
    `${what}: there is no "${given}"`,
    closest === null ? all : `did you mean "${closest}"? (${all})`,
  );
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(substituted, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
