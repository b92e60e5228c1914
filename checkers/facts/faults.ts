/** The faults of a run: what was injected, whether it bit, and when it was proved healed. */
import type { History } from '../../src/history/columns.ts';
import type { HistoryEvent } from '../../src/history/event.ts';

export interface Fault {
  /** As the nemesis named it; null where it did not. */
  readonly id: string | null;
  /** The f of its operation. */
  readonly kind: string;
  /** Index of the completion, of the invocation where there is none. */
  readonly index: number;
  /** Its evidence says so. */
  readonly tookEffect: boolean;
  /** The last heal that proves its undoing, or null. */
  readonly healed: { readonly index: number; readonly timeNs: number } | null;
}

/** In order of injection; without those that certainly did not happen. */
export function faultsOf(history: History): readonly Fault[] {
  const operations = history.rare.filter(
    ({ process }) => typeof process === 'string' && process.startsWith('nemesis:'),
  );
  const heals = new Map<string, { readonly index: number; readonly timeNs: number }>();
  for (const { f, completed } of operations) {
    if (f !== 'heal' || completed === null || !provedEffect(completed)) continue;
    const id = faultId(completed);
    if (id !== null) heals.set(id, { index: completed.index, timeNs: completed.time });
  }
  return operations
    .filter(({ f, completed }) => f !== 'heal' && completed?.type !== 'fail')
    .map(({ f, invoked, completed }) => {
      const id = faultId(invoked);
      const healed = id === null ? undefined : heals.get(id);
      return {
        id,
        kind: f,
        index: (completed ?? invoked).index,
        tookEffect: completed !== null && provedEffect(completed),
        // Undone before it was done is not undone.
        healed: healed !== undefined && healed.index > invoked.index ? healed : null,
      };
    });
}

function faultId({ value }: HistoryEvent): string | null {
  if (typeof value !== 'object' || value === null || !('fault' in value)) return null;
  return typeof value.fault === 'string' ? value.fault : null;
}

function provedEffect({ type, value }: HistoryEvent): boolean {
  if (type === 'fail' || typeof value !== 'object' || value === null) return false;
  if (!('evidence' in value)) return false;
  const { evidence } = value;
  return (
    typeof evidence === 'object' &&
    evidence !== null &&
    'tookEffect' in evidence &&
    evidence.tookEffect === true
  );
}
