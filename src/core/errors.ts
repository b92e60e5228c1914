/**
 * Coded errors: what was wrong outside our own code (input or environment), with what to do next. Outcomes of the
 * system under test are never errors: they are events of the history.
 */

/** Exit codes of the command (DESIGN.md section 5). */
export const exitCodes = {
  valid: 0,
  invalid: 1,
  unknown: 2,
  badInput: 254,
  environment: 255,
  interrupted: 130,
  terminated: 143,
} as const;

/** Every code, what it means, and the exit code it leads to; docs/errors.md is tested against this table. */
export const errorCodes = {
  BAD_ARGUMENT: { exit: 254, meaning: 'a command-line argument is unknown or out of range' },
  BAD_HISTORY: {
    exit: 254,
    meaning: 'a history file breaks a reading rule; file, line and field are named',
  },
  NO_SUCH_FILE: { exit: 254, meaning: 'an input file cannot be opened' },
  UNSUPPORTED: {
    exit: 254,
    meaning:
      'the chosen cluster, client or workload lacks what was asked for, or a file has a format that is not read',
  },
  ILL_FORMED: { exit: 255, meaning: 'the recorder was given an event that the format forbids' },
  RECORDER_IO: { exit: 255, meaning: 'the history cannot be written or synced' },
  DOCKER_UNREACHABLE: { exit: 255, meaning: 'no Docker engine answers' },
  DOCKER_FAILED: { exit: 255, meaning: 'a Docker call failed or exceeded its bound' },
  IMAGE_UNAVAILABLE: {
    exit: 255,
    meaning: 'no image of the system under test is present, pullable or buildable',
  },
  CLUSTER_NOT_HEALTHY: {
    exit: 255,
    meaning: 'the cluster did not become healthy within its bound',
  },
  WIRE: { exit: 255, meaning: 'a broker sent something the wire client cannot read' },
  OUTPUT_IO: {
    exit: 255,
    meaning: 'standard output, or the file that was asked for, could not be written',
  },
  STORE_IO: { exit: 255, meaning: 'the store directory cannot be written' },
  INTERNAL: { exit: 255, meaning: 'a defect of ordeal itself' },
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** An error of input or environment. `message` says what happened, with numbers; `next` says what to do about it. */
export class OrdealError extends Error {
  readonly code: ErrorCode;
  readonly next: string;

  constructor(code: ErrorCode, message: string, next: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'OrdealError';
    this.code = code;
    this.next = next;
  }

  get exitCode(): number {
    return errorCodes[this.code].exit;
  }
}

/** The message of anything thrown, with the messages of its causes. */
export function describeError(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  if (thrown.cause === undefined) return thrown.message;
  const cause = describeError(thrown.cause);
  // A message that quotes its cause already has said it.
  return thrown.message.includes(cause) ? thrown.message : `${thrown.message} (cause: ${cause})`;
}
