/** Kafka brokers in pods on a Docker engine: start, heal, logs, removal. */
import { writeFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createRealClock, type Clock } from '../../core/clock.ts';
import { OrdealError, describeError } from '../../core/errors.ts';
import { formatDurationMs, nsPerMs } from '../../core/units.ts';
import type { Evidence } from '../../history/event.ts';
import type {
  AdminPort,
  Cluster,
  Health,
  NodeId,
  NodeInfo,
  ProgramHost,
  SystemInfo,
} from '../../spi/cluster.ts';
import { connectEngine, type Engine } from './engine.ts';
import { planePorts, type KafkaConfig } from './environment.ts';
import { healEverything } from './heal.ts';
import { ensureHolder, holderImage, resolveImage, type ResolvedImage } from './images.ts';
import { removeRun } from './leftovers.ts';
import { createNetworkPort } from './network-port.ts';
import { addressOf, containerLog, createPod, settleAll, type Pod } from './pods.ts';
import { createProcessPort } from './process-port.ts';
import { createPrograms } from './programs.ts';
import { createStoragePort } from './storage-port.ts';
import { createNetwork } from './subnets.ts';

export interface DockerClusterOptions {
  /** Unique among runs on this engine; letters, digits, dot, dash and underscore. */
  readonly run: string;
  /** `--image`; null: official, else a local build. */
  readonly image: string | null;
  readonly brokerVersion: string;
  /** Kafka's own keys, for every broker; they win over the short test settings (environment.ts). */
  readonly config?: KafkaConfig;
  /** Default 3. */
  readonly nodes?: number;
  /** Heap of each broker, MiB; default 384. */
  readonly heapMb?: number;
  /** Makes the admin port once addresses are known; the wire client's, from the composition root. Disposed on removal. */
  admin(nodes: readonly NodeInfo[]): AdminPort & Partial<AsyncDisposable>;
  readonly clock?: Clock;
}

const healthCallTimeoutMs = 2_000;
const healthPollMs = 150;
/** How long `remove` waits for a start that is under way; each of its calls is bounded. */
const startGiveUpTimeoutMs = 60_000;
const failureLogLines = 400;

/**
 * Connects, finds or builds the images, and returns a cluster that is not started yet: nothing is on the host.
 * `nodes` have their numbers at once and their addresses after `start`.
 * @throws OrdealError DOCKER_UNREACHABLE within seconds when there is no engine, IMAGE_UNAVAILABLE.
 */
export async function createDockerCluster(
  options: DockerClusterOptions,
  progress: (line: string) => void,
): Promise<DockerClusterHandle> {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{1,50}$/.test(options.run)) {
    throw new OrdealError(
      'BAD_ARGUMENT',
      `run id "${options.run}" cannot be part of a container's name`,
      'use 2 to 51 letters, digits, dots, dashes and underscores, the first a letter or digit',
    );
  }
  const clock = options.clock ?? createRealClock();
  const engine = await connectEngine(clock);
  await ensureHolder(engine, progress);
  const image = await resolveImage(engine, options, progress);
  progress(`image ${image.reference} (${image.source}), ${image.id}`);
  return new DockerCluster(engine, options, image);
}

/** A cluster that also runs programs beside it. */
export interface DockerClusterHandle extends Cluster {
  readonly programs: ProgramHost;
}

class DockerCluster implements DockerClusterHandle {
  readonly kind = 'docker';
  readonly system: SystemInfo;
  readonly ports: Cluster['ports'];
  readonly programs: ProgramHost;
  #network: string | undefined;
  readonly #engine: Engine;
  readonly #options: DockerClusterOptions;
  readonly #image: ResolvedImage;
  readonly #pods = new Map<NodeId, Pod>();
  /** Ends of the brokers' logs, kept when a failed start removes the containers. */
  readonly #lastLogs = new Map<NodeId, Buffer>();
  #nodes: readonly NodeInfo[];
  #admin: (AdminPort & Partial<AsyncDisposable>) | undefined;
  #starting: Promise<void> | undefined;
  #removing = false;

  constructor(engine: Engine, options: DockerClusterOptions, image: ResolvedImage) {
    this.#engine = engine;
    this.#options = options;
    this.#image = image;
    this.system = {
      name: 'kafka',
      version: image.version ?? options.brokerVersion,
      image: image.reference,
      imageId: image.id,
      imageSource: image.source,
    };
    this.#nodes = Array.from({ length: options.nodes ?? 3 }, (_, i) => ({
      id: i + 1,
      clientAddress: '',
    }));
    const admin = (): AdminPort => this.#admin ?? notStarted();
    const programs = createPrograms(engine, {
      run: options.run,
      image: holderImage,
      network: () => this.#network ?? notStarted(),
    });
    this.programs = programs;
    this.ports = {
      clients: programs.port,
      process: createProcessPort(engine, (node) => this.#pod(node)),
      storage: createStoragePort(engine, (node) => this.#pod(node)),
      network: createNetworkPort(engine, () => (this.#pods.size === 0 ? notStarted() : this.#pods)),
      admin: {
        createTopics: (topics) => admin().createTopics(topics),
        views: (timeoutMs) => admin().views(timeoutMs),
        health: (timeoutMs) => admin().health(timeoutMs),
        coordinator: (kind, key) => admin().coordinator(kind, key),
        elect: (kind, partitions) => admin().elect(kind, partitions),
        reassign: (log, replicas) => admin().reassign(log, replicas),
      },
    };
  }

  get nodes(): readonly NodeInfo[] {
    return this.#nodes;
  }

  async start(timeoutMs: number, progress: (line: string) => void): Promise<void> {
    if (this.#starting !== undefined || this.#removing) {
      throw new OrdealError('INTERNAL', 'a cluster is started once', 'create another cluster');
    }
    this.#starting = this.#start(timeoutMs, progress);
    try {
      await this.#starting;
    } catch (error) {
      await this.#keepLogs();
      await this.remove();
      throw error;
    }
  }

  async healAll(): Promise<Evidence> {
    if (this.#pods.size === 0)
      return { tookEffect: true, rulesRemoved: [], thawed: [], started: [] };
    return healEverything(this.#engine, [...this.#pods.values()], this.ports);
  }

  async collectLogs(directory: string): Promise<void> {
    await mkdir(directory, { recursive: true });
    for (const { id } of this.#nodes) {
      const pod = this.#pods.get(id);
      const log = pod === undefined ? this.#lastLogs.get(id) : await this.#log(pod);
      if (log !== undefined) await writeFile(join(directory, `node-${id}.log`), log);
    }
  }

  async remove(): Promise<void> {
    this.#removing = true;
    if (this.#starting !== undefined) {
      const given = new AbortController();
      await Promise.race([
        this.#starting.catch(() => undefined),
        this.#engine.clock.sleep(startGiveUpTimeoutMs, given.signal),
      ]);
      given.abort();
    }
    await this.#admin?.[Symbol.asyncDispose]?.();
    this.#admin = undefined;
    await removeRun(this.#engine, this.#options.run);
    this.#pods.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
  }

  async #start(timeoutMs: number, progress: (line: string) => void): Promise<void> {
    const { clock } = this.#engine;
    const startedNs = clock.nowNs();
    const elapsedMs = (): number => (clock.nowNs() - startedNs) / nsPerMs;
    const network = await createNetwork(this.#engine, this.#options.run);
    this.#network = network.name;
    this.#mustGoOn();
    const addresses = new Map(this.#nodes.map(({ id }) => [id, addressOf(network, id)]));
    const pods = await settleAll(
      this.#nodes.map(({ id }) =>
        createPod(this.#engine, {
          run: this.#options.run,
          network,
          holderImage,
          brokerImage: this.#image.id,
          broker: {
            node: id,
            addresses,
            heapMb: this.#options.heapMb ?? 384,
            config: this.#options.config ?? {},
          },
        }),
      ),
    );
    for (const pod of pods) this.#pods.set(pod.node, pod);
    this.#mustGoOn();
    this.#nodes = pods.map((pod) => ({
      id: pod.node,
      clientAddress: `${pod.address}:${planePorts.client}`,
    }));
    this.#admin = this.#options.admin(this.#nodes);
    progress(
      `${pods.length} pods on ${network.prefix}.0/24 after ${formatDurationMs(elapsedMs())}`,
    );
    await this.#untilHealthy(timeoutMs, elapsedMs);
    progress(`all nodes healthy after ${formatDurationMs(elapsedMs())}`);
  }

  async #untilHealthy(timeoutMs: number, elapsedMs: () => number): Promise<void> {
    let health: Health = { healthy: false, missing: ['no node has answered yet'] };
    for (;;) {
      this.#mustGoOn();
      const dead = await this.#deadNodes();
      if (dead.length > 0) {
        throw new OrdealError(
          'CLUSTER_NOT_HEALTHY',
          `node ${dead.join(', ')} ended while starting: ${await this.#lastWords(dead[0] ?? 1)}`,
          'read the log of the node; a setting that Kafka refuses is named there',
        );
      }
      health = await (this.#admin ?? notStarted()).health(healthCallTimeoutMs);
      if (health.healthy) return;
      if (elapsedMs() > timeoutMs) {
        throw new OrdealError(
          'CLUSTER_NOT_HEALTHY',
          `after ${formatDurationMs(timeoutMs)}: ${health.missing.join('; ')}`,
          'see the logs of the nodes; a busy machine needs a longer bound',
        );
      }
      await this.#engine.clock.sleep(healthPollMs);
    }
  }

  async #deadNodes(): Promise<NodeId[]> {
    const states = await Promise.all(
      [...this.#pods.keys()].map(async (node) => ({
        node,
        state: await this.ports.process?.state(node),
      })),
    );
    return states.filter(({ state }) => state?.running === false).map(({ node }) => node);
  }

  async #lastWords(node: NodeId): Promise<string> {
    const text = (await containerLog(this.#engine, this.#pod(node).broker, 200)).toString('utf8');
    const lines = text.split('\n').filter((line) => /ERROR|FATAL|Exception/.test(line));
    return (lines.length === 0 ? text.split('\n') : lines).slice(-4).join(' | ').slice(0, 800);
  }

  async #keepLogs(): Promise<void> {
    for (const pod of this.#pods.values()) {
      try {
        this.#lastLogs.set(pod.node, await containerLog(this.#engine, pod.broker, failureLogLines));
      } catch {
        // The start has failed for a reason of its own; a log that cannot be read must not hide it.
      }
    }
  }

  async #log(pod: Pod): Promise<Buffer> {
    try {
      return await containerLog(this.#engine, pod.broker);
    } catch (error) {
      return Buffer.from(`the log cannot be read: ${describeError(error)}\n`);
    }
  }

  #pod(node: NodeId): Pod {
    if (this.#pods.size === 0) return notStarted();
    const pod = this.#pods.get(node);
    if (pod !== undefined) return pod;
    throw new OrdealError(
      'UNSUPPORTED',
      `the cluster has no node ${node}`,
      `nodes are 1 to ${this.#nodes.length}`,
    );
  }

  /** A start that is being removed stops at its next step. */
  #mustGoOn(): void {
    if (!this.#removing) return;
    throw new OrdealError(
      'CLUSTER_NOT_HEALTHY',
      'the cluster was removed while it was starting',
      'start it again',
    );
  }
}

function notStarted(): never {
  throw new OrdealError('INTERNAL', 'the cluster is not running', 'call start() first');
}
