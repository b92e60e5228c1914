/** Paces operations at a steady rate that several workers share. */

/** How far behind its plan a pace may catch up: a late timer costs nothing, a long stall is not made up for. */
const catchUpMs = 100;

export interface Pace {
  /** Takes the next free slot and returns its time, ms since the workload's start; it may lie in the past. */
  claim(nowMs: number): number;
}

/**
 * Slots 1 / `perSecond` apart. After a stall the slots that nobody claimed are lost, but for those of the last
 * `catchUpMs`: the rate after a stall is the rate before it, never a burst.
 */
export function createPace(perSecond: number): Pace {
  const intervalMs = 1_000 / perSecond;
  let nextMs = 0;
  return {
    claim: (nowMs) => {
      const slotMs = Math.max(nextMs, nowMs - catchUpMs);
      nextMs = slotMs + intervalMs;
      return slotMs;
    },
  };
}
