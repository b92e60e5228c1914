/** Durations: a number and a unit on the outside, integer milliseconds on the inside. */
import { OrdealError } from './errors.ts';

const factorsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Nanoseconds per millisecond. */
export const nsPerMs = 1_000_000;

/**
 * Parses "500ms", "60s", "1.5m", "2h" into whole milliseconds.
 * @throws OrdealError BAD_ARGUMENT naming `field` when the unit is missing or the number is not positive.
 */
export function parseDurationMs(text: string, field: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text.trim());
  const durationMs =
    match === null ? Number.NaN : Number(match[1]) * (factorsMs[match[2] ?? ''] ?? Number.NaN);
  if (!Number.isSafeInteger(durationMs) || durationMs <= 0) {
    throw new OrdealError(
      'BAD_ARGUMENT',
      `${field}: "${text}" is not a duration`,
      'write a positive number with its unit, for example 500ms, 60s, 2m or 1h',
    );
  }
  return durationMs;
}

/** Milliseconds as people read them: 850ms, 12.3s, 4m05s. */
export function formatDurationMs(durationMs: number): string {
  if (durationMs < 1_000) return `${Math.round(durationMs)}ms`;
  if (durationMs < 60_000) return `${(durationMs / 1_000).toFixed(1)}s`;
  const seconds = Math.round(durationMs / 1_000);
  return `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, '0')}s`;
}
