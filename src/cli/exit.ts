/** Exit codes of verdicts, and of several runs or files together (DESIGN.md section 5). Pure. */
import { exitCodes, type OrdealError } from '../core/errors.ts';
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

/** An interrupted run exits as such only if everything was healed and removed. */
export function exitOfRun(
  interrupted: 'SIGINT' | 'SIGTERM' | null,
  error: OrdealError | null,
  valid: Valid,
): number {
  return error?.exitCode ?? exitOfInterrupt(interrupted) ?? exitOfVerdict(valid);
}

/** The worst first: what could not be healed or removed, then what ended everything early, then verdicts. */
const precedence: readonly number[] = [
  exitCodes.environment,
  exitCodes.interrupted,
  exitCodes.terminated,
  exitCodes.badInput,
  exitCodes.invalid,
  exitCodes.unknown,
  exitCodes.valid,
];

/** The exit code of several runs or files: that of the worst. */
export function mergeExits(codes: readonly number[]): number {
  return precedence.find((code) => codes.includes(code)) ?? exitCodes.environment;
}
