/**
 * A link to one broker: connects when it is first used, and again after its connection has ended. Brokers come and go
 * under test, so a link outlives all of its connections; it never retries a call.
 */
import { withDeadline } from '../core/bounded.ts';
import { nsPerMs } from '../core/units.ts';
import type { Api } from './api.ts';
import {
  type BrokerConnection,
  type CallResult,
  type ConnectionOptions,
  openConnection,
} from './connection.ts';

export interface BrokerLink extends AsyncDisposable {
  /** One request and its response, connecting first if need be, at most `timeoutMs` in all. */
  call<Request, Response>(
    api: Api<Request, Response>,
    request: Request,
    timeoutMs: number,
  ): Promise<CallResult<Response>>;
}

export function createLink(options: ConnectionOptions): BrokerLink {
  let current: Promise<CallResult<BrokerConnection>> | null = null;
  let disposed = false;
  const connected = async (): Promise<CallResult<BrokerConnection>> => {
    const held = current;
    if (held !== null) {
      const result = await held;
      if (result.status === 'ok' && result.value.open) return result;
      // Another caller may have begun a new connection while we waited.
      if (current !== held && current !== null) return current;
    }
    if (disposed) return { status: 'closed', message: 'the link is closed' };
    current = openConnection(options);
    return current;
  };
  return {
    call: async (api, request, timeoutMs) => {
      const { clock, host, port } = options;
      const startNs = clock.nowNs();
      const connection = await withDeadline(clock, timeoutMs, connected());
      if (connection.status !== 'done') {
        return { status: 'timeout', message: `${host}:${port}: no connection in ${timeoutMs} ms` };
      }
      if (connection.value.status !== 'ok') return connection.value;
      const leftMs = Math.max(1, timeoutMs - Math.floor((clock.nowNs() - startNs) / nsPerMs));
      return connection.value.value.call(api, request, leftMs);
    },
    [Symbol.asyncDispose]: async () => {
      disposed = true;
      const connection = await current;
      if (connection?.status === 'ok') await connection.value[Symbol.asyncDispose]();
    },
  };
}
