/** The process port: kill, terminate, freeze, thaw and start the broker of a pod; the holder is never touched. */
import { nsPerMs } from '../../core/units.ts';
import { OrdealError } from '../../core/errors.ts';
import type { NodeId, NodeSignal, ProcessPort, ProcessState } from '../../spi/cluster.ts';
import { dockerStatus, type Engine } from './engine.ts';
import { frozenByKernel } from './freezer.ts';
import { startContainer, type Pod } from './pods.ts';

/** A controlled shutdown moves leaders first; without a quorum it waits for nobody and runs into this bound. */
const stopTimeoutMs = 60_000;
const statePollMs = 25;

/** @param podOf throws if the cluster was not started or lacks the node. */
export function createProcessPort(engine: Engine, podOf: (node: NodeId) => Pod): ProcessPort {
  const starts = new Map<NodeId, number>();
  /** Nodes that were sent a signal and not yet seen to end: such a node still answers. */
  const ending = new Set<NodeId>();
  const state = async (node: NodeId): Promise<ProcessState> => {
    const { status, frozen } = await inspectBroker(engine, podOf(node));
    return {
      running: status.Running,
      frozen,
      exitCode: status.Running ? null : status.ExitCode,
      starts: 1 + (starts.get(node) ?? 0),
    };
  };
  return {
    state,
    kill: async (node, signal) => {
      if (signal !== 'SIGKILL' && (await state(node)).frozen) {
        throw new OrdealError(
          'DOCKER_FAILED',
          `${signal} to node ${node}: it is frozen and cannot act on it`,
          'resume the node first; SIGKILL ends a frozen one too',
        );
      }
      ending.add(node);
      await endBroker(engine, podOf(node), signal);
      ending.delete(node);
    },
    start: async (node) => {
      const pod = podOf(node);
      // Its end may still be to come; a start would find it running and leave it to die later.
      if (ending.has(node)) await endBroker(engine, pod, 'SIGKILL');
      ending.delete(node);
      // A broker that starts while its holder is down has no namespace to join.
      await startContainer(engine, `the holder of node ${node}`, pod.holder);
      const started = await startContainer(engine, `node ${node}`, pod.broker);
      if (started) starts.set(node, (starts.get(node) ?? 0) + 1);
    },
    pause: async (node) => {
      if ((await state(node)).frozen) return;
      await engine.call(`freezing node ${node}`, () =>
        engine.docker.getContainer(podOf(node).broker).pause(),
      );
    },
    resume: (node) => thawBroker(engine, podOf(node)),
  };
}

async function endBroker(engine: Engine, pod: Pod, signal: NodeSignal): Promise<void> {
  try {
    await engine.call(`${signal} to node ${pod.node}`, () =>
      engine.docker.getContainer(pod.broker).kill({ signal }),
    );
  } catch (error) {
    // 409: it is not running, which is what was wanted.
    if (dockerStatus(error) !== 409) throw error;
  }
  await waitUntil(engine, `node ${pod.node} to end after ${signal}`, async () => {
    return !(await inspectBroker(engine, pod)).status.Running;
  });
}

/** Resolves when neither the kernel nor Docker calls it frozen: an undoing is done only if both agree. */
async function thawBroker(engine: Engine, pod: Pod): Promise<void> {
  const stands = async (): Promise<boolean> => {
    const { status, frozen } = await inspectBroker(engine, pod);
    return status.Running && (status.Paused || frozen);
  };
  if (!(await stands())) return;
  try {
    await engine.call(`thawing node ${pod.node}`, () =>
      engine.docker.getContainer(pod.broker).unpause(),
    );
  } catch (error) {
    // It was killed or thawed between the two calls: whoever did that has done the undoing.
    if (await stands()) throw error;
  }
  await waitUntil(engine, `node ${pod.node} to thaw`, async () => !(await stands()));
}

interface BrokerStatus {
  readonly Running: boolean;
  readonly Paused: boolean;
  readonly ExitCode: number;
  readonly Pid: number;
}

async function inspectBroker(
  engine: Engine,
  pod: Pod,
): Promise<{ readonly status: BrokerStatus; readonly frozen: boolean }> {
  const info = await engine.call(`inspecting node ${pod.node}`, () =>
    engine.docker.getContainer(pod.broker).inspect(),
  );
  const status = info.State;
  const kernel = status.Running && status.Pid > 0 ? frozenByKernel(status.Pid, info.Id) : null;
  return { status, frozen: status.Running && (kernel ?? status.Paused) };
}

async function waitUntil(
  engine: Engine,
  what: string,
  done: () => Promise<boolean>,
): Promise<void> {
  const { clock } = engine;
  const deadlineNs = clock.nowNs() + stopTimeoutMs * nsPerMs;
  while (!(await done())) {
    if (clock.nowNs() > deadlineNs) {
      throw new OrdealError(
        'DOCKER_FAILED',
        `waited ${stopTimeoutMs} ms for ${what}`,
        'see the log of the node in the run directory; SIGKILL always ends it',
      );
    }
    await clock.sleep(statePollMs);
  }
}
