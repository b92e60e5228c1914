/** One Kafka request in the single version that we speak, with both of its bodies. */
import type { Codec } from './codec.ts';

export interface Api<Request, Response> {
  /** Kafka's name of the request. */
  readonly name: string;
  readonly key: number;
  readonly version: number;
  /** Flexible versions carry tagged fields in their headers too (KIP-482). */
  readonly flexible: boolean;
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
}
