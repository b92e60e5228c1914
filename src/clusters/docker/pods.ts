/**
 * A node is a pod: a holder container owns the network namespace (address, rules, counters), and the broker's container
 * joins it without any capability. Rules and address outlive the broker's process, and exec in the holder works while
 * the broker is frozen or dead.
 */
import type { NodeId } from '../../spi/cluster.ts';
import { brokerEnvironment, dataDirectory, type BrokerSpec } from './environment.ts';
import { dockerStatus, type Engine } from './engine.ts';
import { labels, runLabels } from './labels.ts';
import type { RunNetwork } from './subnets.ts';

/** Logs of a broker are bounded, or a long run would fill the disk. */
const logOptions = { Type: 'json-file', Config: { 'max-size': '64m', 'max-file': '3' } };

export interface Pod {
  readonly node: NodeId;
  readonly address: string;
  /** Container ids. */
  readonly holder: string;
  readonly broker: string;
}

export interface PodRequest {
  readonly run: string;
  readonly network: RunNetwork;
  readonly holderImage: string;
  readonly brokerImage: string;
  readonly broker: BrokerSpec;
}

/** Address of a node on its run's network. */
export function addressOf(network: RunNetwork, node: NodeId): string {
  return `${network.prefix}.${10 + node}`;
}

/** Creates volume, holder and broker of one node, and starts both containers. */
export async function createPod(engine: Engine, request: PodRequest): Promise<Pod> {
  const { run, broker: spec } = request;
  const { node } = spec;
  const address = addressOf(request.network, node);
  const marked = (role: string) =>
    runLabels(run, { [labels.node]: String(node), [labels.role]: role });
  const volume = `ordeal-${run}-data-${node}`;
  await engine.call(`creating volume ${volume}`, () =>
    engine.docker.createVolume({ Name: volume, Labels: marked('data') }),
  );
  const mount = { Type: 'volume' as const, Source: volume, Target: dataDirectory };
  const holder = await engine.call(`creating the holder of node ${node}`, () =>
    engine.docker.createContainer({
      name: `ordeal-${run}-holder-${node}`,
      Hostname: `node-${node}`,
      Image: request.holderImage,
      Labels: marked('holder'),
      HostConfig: {
        CapDrop: ['ALL'],
        CapAdd: ['NET_ADMIN'],
        NetworkMode: request.network.name,
        // The broker's image decides who owns the directory, so the holder's must not be copied into the volume.
        Mounts: [
          { ...mount, VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: {} as never } },
        ],
      },
      NetworkingConfig: {
        EndpointsConfig: { [request.network.name]: { IPAMConfig: { IPv4Address: address } } },
      },
    }),
  );
  await engine.call(`starting the holder of node ${node}`, () => holder.start());
  const broker = await engine.call(`creating the broker of node ${node}`, () =>
    engine.docker.createContainer({
      name: `ordeal-${run}-node-${node}`,
      Image: request.brokerImage,
      Labels: marked('broker'),
      Env: brokerEnvironment(spec),
      HostConfig: {
        CapDrop: ['ALL'],
        NetworkMode: `container:${holder.id}`,
        Mounts: [mount],
        LogConfig: logOptions,
      },
    }),
  );
  await engine.call(`starting node ${node}`, () => broker.start());
  return { node, address, holder: holder.id, broker: broker.id };
}

/** Starts a container; one that runs already is left alone. @returns true if it was started by this call. */
export async function startContainer(engine: Engine, what: string, id: string): Promise<boolean> {
  try {
    await engine.call(`starting ${what}`, () => engine.docker.getContainer(id).start());
    return true;
  } catch (error) {
    if (dockerStatus(error) === 304) return false;
    throw error;
  }
}

/** All that the container has written to standard output and error. Works on dead and frozen containers. */
export async function containerLog(
  engine: Engine,
  id: string,
  tailLines?: number,
): Promise<Buffer> {
  const raw = await engine.call(`reading the log of ${id.slice(0, 12)}`, () =>
    engine.docker.getContainer(id).logs({
      stdout: true,
      stderr: true,
      follow: false,
      ...(tailLines === undefined ? {} : { tail: tailLines }),
    }),
  );
  return withoutFrames(raw);
}

/** Docker's multiplexed stream: frames of [stream, 0, 0, 0, length big-endian] and so many bytes. */
export function withoutFrames(raw: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= raw.length;) {
    const length = raw.readUInt32BE(at + 4);
    parts.push(raw.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(parts);
}

/** Like Promise.all, but waits for the others before it fails, so that a clean-up after it sees all that they made. */
export async function settleAll<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}
