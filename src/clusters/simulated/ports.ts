/** The fault ports of the simulated cluster. Each call takes as long as it does on Docker, more or less. */
import { assert } from '../../core/assert.ts';
import { OrdealError } from '../../core/errors.ts';
import { nsPerMs } from '../../core/units.ts';
import { logName } from '../../history/log-name.ts';
import type {
  DiskPort,
  NetworkPort,
  NodeId,
  Plane,
  Probe,
  ProcessPort,
  StoragePort,
} from '../../spi/cluster.ts';
import type { Kernel } from './kernel.ts';
import { Pipe, type Network } from './network.ts';
import type { SimulatedNode } from './node.ts';

/** An exec in a container, or a call of the engine. */
const callMs = 60;
const stopMsMax = 30_000;
const probeMs = 1_000;

const nothing = { in: 0, out: 0 } as const;

export type NodeOf = (node: NodeId) => SimulatedNode;

/** Does something to the model a moment later, and gives its result, or what it throws, to the harness. */
export function later<T>(kernel: Kernel, work: () => T): Promise<T> {
  const moment = new Promise<void>((resolve) => {
    kernel.wakeAfter(callMs * nsPerMs, resolve);
  });
  return moment.then(work);
}

export function createProcessPort(kernel: Kernel, nodeOf: NodeOf): ProcessPort {
  return {
    state: (node) => later(kernel, () => nodeOf(node).process.state()),
    start: (node) =>
      later(kernel, () => {
        nodeOf(node).start();
      }),
    pause: (node) =>
      later(kernel, () => {
        nodeOf(node).process.freeze();
      }),
    resume: (node) =>
      later(kernel, () => {
        nodeOf(node).thaw();
      }),
    kill: (node, signal) =>
      new Promise((resolve, reject) => {
        kernel.wakeAfter(callMs * nsPerMs, () => {
          const target = nodeOf(node);
          if (signal !== 'SIGKILL' && target.process.frozen) {
            reject(
              new OrdealError(
                'CLUSTER_NOT_HEALTHY',
                `${signal} to node-${node}: it is frozen and cannot act on it`,
                'resume the node first; SIGKILL ends a frozen one too',
              ),
            );
            return;
          }
          const bound = kernel.wakeAfter(stopMsMax * nsPerMs, () => {
            reject(
              new OrdealError(
                'CLUSTER_NOT_HEALTHY',
                `node-${node} still ran ${stopMsMax} ms after ${signal}`,
                'it was frozen on its way out; SIGKILL ends it',
              ),
            );
          });
          target.stop(signal, () => {
            kernel.cancel(bound);
            kernel.wakeAfter(0, resolve);
          });
        });
      }),
  };
}

export function createStoragePort(kernel: Kernel, nodeOf: NodeOf): StoragePort {
  return {
    wipe: (node, { topic, partition }) =>
      later(kernel, () => {
        const { process, disk } = nodeOf(node);
        if (process.running) {
          throw new OrdealError(
            'UNSUPPORTED',
            `node-${node} still runs: its disk is not touched`,
            'kill the node first',
          );
        }
        return { bytes: disk.logs.get(logName(topic, partition))?.wipe() ?? 0 };
      }),
  };
}

export function createDiskPort(kernel: Kernel, flushMs: number, nodeOf: NodeOf): DiskPort {
  return {
    loseUnsynced: (node) =>
      later(kernel, () => {
        const { process, disk } = nodeOf(node);
        if (process.running) {
          throw new OrdealError(
            'UNSUPPORTED',
            `node-${node} still runs: its page cache is not lost`,
            'kill the node first',
          );
        }
        let records = 0;
        for (const log of disk.logs.values()) {
          records += log.loseUnsynced(kernel.nowNs, flushMs * nsPerMs);
        }
        return { records };
      }),
  };
}

export function createNetworkPort(
  kernel: Kernel,
  network: Network,
  nodes: ReadonlyMap<NodeId, SimulatedNode>,
): NetworkPort {
  const unhurt = Object.fromEntries([...nodes.keys()].map((id) => [`node-${id}`, nothing]));
  return {
    cut: (cut, rules) =>
      later(kernel, () => {
        network.cut(cut, rules);
      }),
    heal: (cut) =>
      later(kernel, () => {
        network.heal(cut);
      }),
    counters: (cut) =>
      later(kernel, () => {
        const { packets, byNode } = network.counters(cut);
        return { packets, byNode: { ...unhurt, ...byNode } };
      }),
    standing: () => later(kernel, () => network.standing()),
    probe: (from, to, plane) => {
      const target = nodes.get(to);
      assert(target !== undefined, `the simulated cluster has no node ${to}`);
      return probe(kernel, network, target, { from, to, plane });
    },
  };
}

/** A packet there and one back: a dead process refuses, a frozen one's kernel accepts. */
function probe(
  kernel: Kernel,
  network: Network,
  target: SimulatedNode,
  { from, to, plane }: { readonly from: NodeId; readonly to: NodeId; readonly plane: Plane },
): Promise<Probe> {
  return new Promise((resolve) => {
    let over = false;
    const end = (connected: boolean, detail: string): void => {
      if (over) return;
      over = true;
      kernel.cancel(bound);
      kernel.wakeAfter(0, () => {
        resolve({ from, to, plane, connected, detail });
      });
    };
    const bound = kernel.after(probeMs * nsPerMs, () => {
      end(false, 'timed out');
    });
    new Pipe(network, from, to, plane, 'connect').send(() => {
      const accepts = target.process.running && target.listens(plane);
      new Pipe(network, to, from, plane, 'connect').send(() => {
        end(accepts, accepts ? 'connected' : 'refused');
      });
    });
  });
}
