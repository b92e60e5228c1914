/**
 * One TCP connection to one broker. Calls are pipelined and matched by correlation id; whatever goes wrong is a value,
 * and the first thing that goes wrong ends the connection, because a broker answers in order and a late answer would
 * stand in the way of all later ones.
 */
import { connect, type Socket } from 'node:net';
import { withDeadline } from '../core/bounded.ts';
import type { Clock } from '../core/clock.ts';
import { describeError, OrdealError } from '../core/errors.ts';
import type { Api } from './api.ts';
import {
  correlationIdOf,
  createFrameCutter,
  decodeResponse,
  encodeRequest,
  type FrameCutter,
} from './frames.ts';

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  /** How the broker's logs name us. */
  readonly clientId: string;
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  /** A response that claims to be larger ends the connection. */
  readonly responseBytesMax: number;
}

/** `refused`: no connection was made, so nothing was sent. `unreadable`: an answer came that is not Kafka's. */
export type CallFailure = 'refused' | 'timeout' | 'closed' | 'unreadable';

export type CallResult<T> =
  | { readonly status: 'ok'; readonly value: T }
  | { readonly status: CallFailure; readonly message: string };

export interface BrokerConnection extends AsyncDisposable {
  /** Sends one request and waits for its response, at most `timeoutMs`. It never rejects. */
  call<Request, Response>(
    api: Api<Request, Response>,
    request: Request,
    timeoutMs: number,
  ): Promise<CallResult<Response>>;
  /** False once the connection has ended; every later call is `closed`. */
  readonly open: boolean;
}

type Failed = Exclude<CallResult<never>, { status: 'ok' }>;
type Answer = { readonly status: 'ok'; readonly value: Buffer } | Failed;

/** Connects, at most `connectTimeoutMs`. */
export async function openConnection(
  options: ConnectionOptions,
): Promise<CallResult<BrokerConnection>> {
  const where = `${options.host}:${options.port}`;
  const socket = connect({ host: options.host, port: options.port, noDelay: true });
  // Whoever sees the socket first decides what an error means; this listener only keeps it from being unhandled.
  socket.on('error', () => undefined);
  const connected = new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
    socket.once('close', () => {
      reject(new Error('closed while connecting'));
    });
  });
  const outcome = await withDeadline(options.clock, options.connectTimeoutMs, connected);
  if (outcome.status === 'done') {
    return { status: 'ok', value: createConnection(socket, options, where) };
  }
  socket.destroy();
  return outcome.status === 'late'
    ? { status: 'refused', message: `${where}: no connection in ${options.connectTimeoutMs} ms` }
    : { status: 'refused', message: `${where}: ${describeError(outcome.error)}` };
}

function createConnection(
  socket: Socket,
  options: ConnectionOptions,
  where: string,
): BrokerConnection {
  const waiting = new Map<number, (answer: Answer) => void>();
  const cutter = createFrameCutter(options.responseBytesMax);
  let nextCorrelationId = 0;
  let ended: Failed | null = null;
  const end = (failure: Failed): void => {
    if (ended !== null) return;
    ended = failure;
    socket.destroy();
    for (const settle of waiting.values()) settle(failure);
    waiting.clear();
  };
  listen(socket, cutter, waiting, end, where);

  return {
    get open() {
      return ended === null;
    },
    call: async (api, request, timeoutMs) => {
      if (ended !== null) return { status: 'closed', message: ended.message };
      const correlationId = nextCorrelationId;
      nextCorrelationId = (nextCorrelationId + 1) & 0x7fff_ffff;
      const answered = new Promise<Answer>((resolve) => waiting.set(correlationId, resolve));
      socket.write(encodeRequest(api, correlationId, options.clientId, request));
      const outcome = await withDeadline(options.clock, timeoutMs, answered);
      if (outcome.status !== 'done') {
        const message = `${where}: no answer to ${api.name} in ${timeoutMs} ms`;
        end({ status: 'closed', message });
        return { status: 'timeout', message };
      }
      if (outcome.value.status !== 'ok') return outcome.value;
      try {
        return { status: 'ok', value: decodeResponse(api, outcome.value.value) };
      } catch (thrown) {
        const failure = unreadable(where, thrown);
        end(failure);
        return failure;
      }
    },
    [Symbol.asyncDispose]: async () => {
      end({ status: 'closed', message: `${where}: closed by us` });
      if (!socket.closed) await new Promise<void>((resolve) => socket.once('close', resolve));
    },
  };
}

function listen(
  socket: Socket,
  cutter: FrameCutter,
  waiting: Map<number, (answer: Answer) => void>,
  end: (failure: Failed) => void,
  where: string,
): void {
  socket.on('data', (chunk) => {
    try {
      for (const frame of cutter.push(chunk)) {
        const correlationId = correlationIdOf(frame);
        const settle = waiting.get(correlationId);
        if (settle === undefined) {
          throw new Error(`an answer with correlation id ${correlationId} that nobody asked for`);
        }
        waiting.delete(correlationId);
        settle({ status: 'ok', value: frame });
      }
    } catch (thrown) {
      end(unreadable(where, thrown));
    }
  });
  socket.on('error', (error) => {
    end({ status: 'closed', message: `${where}: ${error.message}` });
  });
  socket.on('close', () => {
    end({ status: 'closed', message: `${where}: the broker closed the connection` });
  });
}

function unreadable(where: string, thrown: unknown): Failed {
  const known = thrown instanceof OrdealError || thrown instanceof Error;
  return { status: 'unreadable', message: `${where}: ${known ? thrown.message : String(thrown)}` };
}
