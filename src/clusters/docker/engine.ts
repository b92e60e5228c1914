/** The connection to a Docker engine: every call is bounded, and every failure is a coded error with a next step. */
import Docker from 'dockerode';
import { PassThrough } from 'node:stream';
import { withDeadline } from '../../core/bounded.ts';
import type { Clock } from '../../core/clock.ts';
import { OrdealError, describeError } from '../../core/errors.ts';

/** Bound of one ordinary call: create, start, inspect, kill, exec. */
const callTimeoutMs = 30_000;
/** Bound of the first answer: without an engine nobody should wait longer to be told so. */
const connectTimeoutMs = 4_000;
/** An engine that says nothing for this long in the middle of an answer is given up. */
const silenceTimeoutMs = 60_000;
const execPollMs = 10;

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ExecOptions {
  readonly timeoutMs?: number;
  /** Name or number; absent: the container's own. */
  readonly user?: string | undefined;
}

export interface Engine {
  readonly docker: Docker;
  /** What DOCKER_HOST would say for this engine. */
  readonly endpoint: string;
  readonly version: string;
  readonly apiVersion: string;
  readonly clock: Clock;
  /** Runs one call with a bound; `what` names it in errors. */
  call<T>(what: string, action: () => Promise<T>, timeoutMs?: number): Promise<T>;
  /** Runs a command inside a running container and waits for its end. A non-zero exit code is a result. */
  exec(container: string, command: readonly string[], options?: ExecOptions): Promise<ExecResult>;
}

/**
 * Connects to the engine that DOCKER_HOST names, or to the default socket.
 * @throws OrdealError DOCKER_UNREACHABLE within a few seconds when none answers.
 */
export async function connectEngine(clock: Clock): Promise<Engine> {
  const endpoint = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock';
  const docker = new Docker({ timeout: silenceTimeoutMs });
  const outcome = await withDeadline(clock, connectTimeoutMs, docker.version());
  if (outcome.status === 'late') {
    throw unreachable(endpoint, `no answer within ${connectTimeoutMs} ms`);
  }
  if (outcome.status === 'failed') throw unreachable(endpoint, describeError(outcome.error));
  const call = boundedCall(clock, endpoint);
  return {
    docker,
    endpoint,
    version: outcome.value.Version,
    apiVersion: outcome.value.ApiVersion,
    clock,
    call,
    exec: async (container, command, { timeoutMs = callTimeoutMs, user } = {}) => {
      const what = `exec of ${command[0] ?? ''} in ${container.slice(0, 12)}`;
      const givenUp = new AbortController();
      try {
        const run = () => runExec({ docker, clock }, container, { command, user }, givenUp.signal);
        return await call(what, run, timeoutMs);
      } finally {
        givenUp.abort();
      }
    },
  };
}

/** HTTP status of a failed call (404 gone, 409 conflict, 304 already so), or null if it failed otherwise. */
export function dockerStatus(error: unknown): number | null {
  for (let at = error; at instanceof Error; at = at.cause) {
    const status: unknown = (at as { statusCode?: unknown }).statusCode;
    if (typeof status === 'number') return status;
  }
  return null;
}

function boundedCall(clock: Clock, endpoint: string): Engine['call'] {
  return async (what, action, timeoutMs = callTimeoutMs) => {
    const outcome = await withDeadline(clock, timeoutMs, action());
    if (outcome.status === 'done') return outcome.value;
    if (outcome.status === 'late') {
      throw new OrdealError(
        'DOCKER_FAILED',
        `${what}: no answer within ${timeoutMs} ms`,
        'see whether the engine is overloaded (docker info, its log), then run again',
      );
    }
    if (outcome.error instanceof OrdealError) throw outcome.error;
    if (isConnectionError(outcome.error)) throw unreachable(endpoint, describeError(outcome.error));
    throw new OrdealError(
      'DOCKER_FAILED',
      `${what}: ${describeError(outcome.error)}`,
      'run `ordeal doctor`; `ordeal clean` removes what earlier runs left',
      { cause: outcome.error },
    );
  };
}

function isConnectionError(error: unknown): boolean {
  const code: unknown = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'EACCES' || code === 'ENOTFOUND';
}

function unreachable(endpoint: string, why: string): OrdealError {
  const denied = /EACCES|permission denied/i.test(why);
  return new OrdealError(
    'DOCKER_UNREACHABLE',
    `no Docker engine answers on ${endpoint}: ${why}`,
    denied
      ? 'use an account of the docker group, or root'
      : 'start an engine (in a checkout: sudo scripts/docker-engine.sh), or set DOCKER_HOST; then `ordeal doctor`',
  );
}

/** @param givenUp aborted when nobody waits any longer: a command not begun by then must not act behind a heal. */
async function runExec(
  { docker, clock }: Pick<Engine, 'docker' | 'clock'>,
  container: string,
  { command, user }: { readonly command: readonly string[]; readonly user: string | undefined },
  givenUp: AbortSignal,
): Promise<ExecResult> {
  const exec = await docker.getContainer(container).exec({
    Cmd: [...command],
    AttachStdout: true,
    AttachStderr: true,
    ...(user === undefined ? {} : { User: user }),
  });
  givenUp.throwIfAborted();
  const stream = await exec.start({ hijack: false, stdin: false });
  const stdout = collect();
  const stderr = collect();
  docker.modem.demuxStream(stream, stdout.sink, stderr.sink);
  await new Promise<void>((resolve, reject) => {
    stream.once('end', resolve);
    stream.once('close', resolve);
    stream.once('error', reject);
  });
  // The output may end a moment before the engine knows the exit code; the caller's bound covers this loop.
  for (;;) {
    givenUp.throwIfAborted();
    const state = await exec.inspect();
    if (!state.Running && typeof state.ExitCode === 'number') {
      return { exitCode: state.ExitCode, stdout: stdout.text(), stderr: stderr.text() };
    }
    await clock.sleep(execPollMs);
  }
}

function collect(): { readonly sink: PassThrough; text(): string } {
  const sink = new PassThrough();
  const chunks: Buffer[] = [];
  sink.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { sink, text: () => Buffer.concat(chunks).toString('utf8') };
}
