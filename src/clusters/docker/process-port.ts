/** The process port: kill, terminate, freeze, thaw and start the broker of a pod; the holder is never touched. */
import { nsPerMs } from '../../core/units.ts';
import { OrdealError } from '../../core/errors.ts';
import type { NodeId, ProcessPort, ProcessState } from '../../spi/cluster.ts';
import { dockerStatus, type Engine } from './engine.ts';
import { frozenByKernel } from './freezer.ts';
import { startContainer, type Pod } from './pods.ts';

/** A controlled shutdown moves leaders first; without a quorum it waits for nobody and runs into this bound. */
const stopTimeoutMs = 60_000;
const statePollMs = 25;

/** @param podOf throws if the cluster was not started or lacks the node. */
export function createProcessPort(engine: Engine, podOf: (node: NodeId) => Pod): ProcessPort {
  const starts = new Map<NodeId, number>();
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
      const { broker } = podOf(node);
      if (signal !== 'SIGKILL' && (await state(node)).frozen) {
        throw new OrdealError(
          'DOCKER_FAILED',
          `${signal} to node ${node}: it is frozen and cannot act on it`,
          'resume the node first; SIGKILL ends a frozen one too',
        );
      }
      try {
        await engine.call(`${signal} to node ${node}`, () =>
          engine.docker.getContainer(broker).kill({ signal }),
        );
      } catch (error) {
        // 409: it is not running, which is what was wanted.
        if (dockerStatus(error) !== 409) throw error;
      }
      await waitUntil(engine, `node ${node} to end after ${signal}`, async () => {
        return !(await state(node)).running;
      });
    },
    start: async (node) => {
      const pod = podOf(node);
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
    resume: async (node) => {
      const { status, frozen } = await inspectBroker(engine, podOf(node));
      if (!status.Running || !(status.Paused || frozen)) return;
      try {
        await engine.call(`thawing node ${node}`, () =>
          engine.docker.getContainer(podOf(node).broker).unpause(),
        );
      } catch (error) {
        // It was killed or thawed between the two calls: whoever did that has done the undoing.
        if ((await state(node)).frozen) throw error;
      }
    },
  };
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
  const kernel = status.Running && status.Pid > 0 ? frozenByKernel(status.Pid) : null;
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
