/** The error of every recorder whose file cannot be written. */
import { OrdealError, describeError } from '../core/errors.ts';

export function failedIo(path: string, error: unknown): OrdealError {
  return new OrdealError(
    'RECORDER_IO',
    `${path}: the history cannot be written: ${describeError(error)}`,
    'free space on the disk or choose another with --store; what was written before can be checked',
    { cause: error },
  );
}
