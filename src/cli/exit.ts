/** Exit codes of verdicts, and of several runs or files together (DESIGN.md section 5). Pure. */
import { exitCodes } from '../core/errors.ts';
import type { Valid } from '../spi/verdict.ts';

export function exitOfVerdict(valid: Valid): number {
  if (valid === 'unknown') return exitCodes.unknown;
  return valid ? exitCodes.valid : exitCodes.invalid;
}

/** Null if there was none. */
export function exitOfInterrupt(signal: 'SIGINT' | 'SIGTERM' | null): number | null {
  if (signal === null) return null;
  return signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated;
}

/** The worst first. An interruption ends everything, so it also decides the exit code. */
const precedence: readonly number[] = [
  exitCodes.interrupted,
  exitCodes.terminated,
  exitCodes.environment,
  exitCodes.badInput,
  exitCodes.invalid,
  exitCodes.unknown,
  exitCodes.valid,
];

/** The exit code of several runs or files: that of the worst. */
export function mergeExits(codes: readonly number[]): number {
  return precedence.find((code) => codes.includes(code)) ?? exitCodes.environment;
}
