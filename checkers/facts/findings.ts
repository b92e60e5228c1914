/** What a checker collects on its pass: obligations, exact counts, and the earliest witnesses up to a limit. */
import type { CheckLimits } from '../../src/spi/checker.ts';
import type { AnomalyResult, Witness } from '../../src/spi/verdict.ts';

export interface Findings {
  /** Notes `obligations` that arose, decided or not. */
  arose(obligations: number): void;
  /** Notes one obligation that nothing decides; the first reason given is the one reported. */
  open(reason: () => string): void;
  /**
   * Notes `instances` of the anomaly that one witness shows. `at` is the index of the event at which it shows; the
   * witness is built only if it is among the earliest.
   */
  found(at: number, instances: number, build: () => Witness): void;
  /** The outcome. @param permittedBy the setting that permits the anomaly, or null. */
  result(permittedBy: string | null): AnomalyResult;
}

export function collectFindings(limits: CheckLimits): Findings {
  let checked = 0;
  let count = 0;
  let openCount = 0;
  let openReason = '';
  const earliest: { readonly at: number; readonly build: () => Witness }[] = [];
  return {
    arose: (obligations) => {
      checked += obligations;
    },
    open: (reason) => {
      if (openCount++ === 0) openReason = reason();
    },
    found: (at, instances, build) => {
      count += instances;
      const place = earliest.findIndex((other) => other.at > at);
      earliest.splice(place < 0 ? earliest.length : place, 0, { at, build });
      if (earliest.length > limits.witnessesMax) earliest.pop();
    },
    result: (permittedBy) => {
      if (count > 0) {
        const witnesses = earliest.map(({ build }) => build());
        return { outcome: 'found', count, checked, reason: null, permittedBy, witnesses };
      }
      const none = { count: 0, checked, permittedBy: null, witnesses: [] };
      if (openCount > 0) {
        const others = openCount === 1 ? '' : ` (and ${openCount - 1} more open)`;
        return { outcome: 'unknown', reason: `${openReason}${others}`, ...none };
      }
      return { outcome: checked > 0 ? 'absent' : 'not-exercised', reason: null, ...none };
    },
  };
}
