/** Undoes every fault that stands on a cluster, whatever put it there: rules first, then freezers, then dead processes. */
import type { Evidence } from '../../history/event.ts';
import type { ClusterPorts, NodeId } from '../../spi/cluster.ts';
import { describeError } from '../../core/errors.ts';
import type { Engine } from './engine.ts';
import { startContainer, type Pod } from './pods.ts';

/** Idempotent; one node's trouble does not keep the others from being healed. */
export async function healEverything(
  engine: Engine,
  pods: readonly Pod[],
  ports: ClusterPorts,
): Promise<Evidence> {
  const errors: string[] = [];
  const rulesRemoved: string[] = [];
  const thawed: NodeId[] = [];
  const started: NodeId[] = [];
  const attempt = async (what: string, action: () => Promise<void>): Promise<void> => {
    try {
      await action();
    } catch (error) {
      errors.push(`${what}: ${describeError(error)}`);
    }
  };
  await Promise.all(
    pods.map((pod) => attempt(`holder ${pod.node}`, () => reviveHolder(engine, pod))),
  );
  await attempt('rules', async () => {
    for (const cut of (await ports.network?.standing()) ?? []) {
      await ports.network?.heal(cut);
      rulesRemoved.push(cut);
    }
  });
  await Promise.all(
    pods.map(({ node }) =>
      attempt(`node ${node}`, async () => {
        if (ports.process === undefined) return;
        const before = await ports.process.state(node);
        // Asked for in any case: only the port knows of a freeze or a SIGTERM that its state does not show yet.
        await ports.process.resume(node);
        if (before.frozen) thawed.push(node);
        await ports.process.start(node);
        if ((await ports.process.state(node)).starts > before.starts) started.push(node);
      }),
    ),
  );
  const left = await remains(pods, ports);
  return {
    tookEffect: errors.length === 0 && left.length === 0,
    rulesRemoved,
    thawed: thawed.sort(),
    started: started.sort(),
    ...(left.length === 0 ? {} : { left }),
    ...(errors.length === 0 ? {} : { errors }),
  };
}

/** A holder that died took the namespace along: a broker that outlived it is deaf, and must start again in the new one. */
async function reviveHolder(engine: Engine, pod: Pod): Promise<void> {
  if (!(await startContainer(engine, `the holder of node ${pod.node}`, pod.holder))) return;
  await engine.call(`stopping node ${pod.node}, whose namespace is gone`, () =>
    engine.docker
      .getContainer(pod.broker)
      .kill({ signal: 'SIGKILL' })
      .catch(() => undefined),
  );
}

/** What still stands, in words. */
async function remains(pods: readonly Pod[], ports: ClusterPorts): Promise<string[]> {
  const left: string[] = [];
  try {
    for (const cut of (await ports.network?.standing()) ?? []) left.push(`cut ${cut}`);
    for (const { node } of pods) {
      const state = await ports.process?.state(node);
      if (state?.frozen === true) left.push(`node ${node} frozen`);
      if (state?.running === false) left.push(`node ${node} dead`);
    }
  } catch (error) {
    left.push(`cannot look: ${describeError(error)}`);
  }
  return left;
}
