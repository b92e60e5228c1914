/** The faults of a run: what was injected, whether it bit, and when it was proved healed. */
import type { History } from '../../src/history/columns.ts';
import type { Evidence, FaultValue, HistoryEvent } from '../../src/history/event.ts';

export interface Fault {
  /** As the nemesis named it. */
  readonly id: string;
  /** The f of its operation. */
  readonly kind: string;
  /** Index of the completion, of the invocation where there is none. */
  readonly index: number;
  /** Its evidence says so. */
  readonly tookEffect: boolean;
  /** What its completion measured; null: nothing. */
  readonly evidence: Evidence | null;
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
    heals.set(faultId(completed), { index: completed.index, timeNs: completed.time });
  }
  return operations
    .filter(({ f, completed }) => f !== 'heal' && completed?.type !== 'fail')
    .map(({ f, invoked, completed }) => {
      const id = faultId(invoked);
      const healed = heals.get(id);
      return {
        id,
        kind: f,
        index: (completed ?? invoked).index,
        tookEffect: completed !== null && provedEffect(completed),
        evidence: (completed?.value as Partial<FaultValue> | undefined)?.evidence ?? null,
        // Undone before it was done is not undone.
        healed: healed !== undefined && healed.index > invoked.index ? healed : null,
      };
    });
}

/** The format knows these values; only that of a failed or uncertain completion may be missing. */
function provedEffect({ type, value }: HistoryEvent): boolean {
  const { evidence } = (value ?? {}) as Partial<FaultValue>;
  return type !== 'fail' && evidence?.tookEffect === true;
}

function faultId({ value }: HistoryEvent): string {
  return (value as FaultValue).fault;
}
