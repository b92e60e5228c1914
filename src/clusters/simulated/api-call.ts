/** A client's request as it travels here: the typed object, with the API that says what it is. */
import type { Api } from '../../kafka-protocol/api.ts';

export interface ApiCall {
  readonly api: Api<never, unknown>;
  readonly request: unknown;
}

export function isApiCall(value: unknown): value is ApiCall {
  return typeof value === 'object' && value !== null && 'api' in value;
}
