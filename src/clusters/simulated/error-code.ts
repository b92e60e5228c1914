/** Kafka's error codes by the names that the model uses. */
import { assert } from '../../core/assert.ts';
import { errorCodeOf } from '../../kafka-protocol/error-codes.ts';

/** The number of one of Kafka's errors. */
export function code(name: string): number {
  const number = errorCodeOf(name);
  assert(number !== undefined, `${name} is no error of Kafka's`);
  return number;
}
