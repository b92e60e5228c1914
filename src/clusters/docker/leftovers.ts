/** What runs have put on the host, found by label, and its removal: containers, then networks, then volumes. */
import { OrdealError } from '../../core/errors.ts';
import { nsPerMs } from '../../core/units.ts';
import { dockerStatus, type Engine } from './engine.ts';
import { labelFilter, labels } from './labels.ts';

export interface Leftover {
  readonly kind: 'container' | 'network' | 'volume';
  readonly id: string;
  readonly name: string;
  readonly run: string;
  readonly harness: string;
}

const removeTimeoutMs = 60_000;
const retryMs = 200;

/** Everything of one run, or of all runs, in the order in which it must be removed. */
export async function findLeftovers(engine: Engine, run?: string): Promise<Leftover[]> {
  const filters = labelFilter(run);
  const { docker } = engine;
  const [containers, networks, volumes] = await Promise.all([
    engine.call('listing containers', () => docker.listContainers({ all: true, filters })),
    engine.call('listing networks', () => docker.listNetworks({ filters })),
    engine.call('listing volumes', () => docker.listVolumes({ filters })),
  ]);
  const of = (
    kind: Leftover['kind'],
    id: string,
    name: string,
    marks: Readonly<Record<string, string>> | undefined,
  ): Leftover => ({
    kind,
    id,
    name,
    run: marks?.[labels.run] ?? '',
    harness: marks?.[labels.harness] ?? '',
  });
  // Brokers before the holders whose namespaces they live in.
  const ordered = [...containers].sort(
    (a, b) =>
      Number(a.Labels[labels.role] === 'holder') - Number(b.Labels[labels.role] === 'holder'),
  );
  return [
    ...ordered.map((c) => of('container', c.Id, (c.Names[0] ?? c.Id).replace(/^\//, ''), c.Labels)),
    ...networks.map((n) => of('network', n.Id, n.Name, n.Labels)),
    // Some engines say null for none.
    ...((volumes.Volumes as typeof volumes.Volumes | null) ?? []).map((v) =>
      of('volume', v.Name, v.Name, v.Labels),
    ),
  ];
}

/**
 * Removes everything of a run, frozen containers too, and looks again until nothing is found: a call of an interrupted
 * start may still have been on its way to the engine.
 * @returns what was removed.
 */
export async function removeRun(engine: Engine, run: string): Promise<Leftover[]> {
  const { clock } = engine;
  const deadlineNs = clock.nowNs() + removeTimeoutMs * nsPerMs;
  const removed = new Map<string, Leftover>();
  let last: unknown;
  for (;;) {
    const found = await findLeftovers(engine, run);
    if (found.length === 0) return [...removed.values()];
    if (clock.nowNs() > deadlineNs) {
      throw new OrdealError(
        'DOCKER_FAILED',
        `run ${run}: ${found.map((item) => `${item.kind} ${item.name}`).join(', ')} could not be removed`,
        `run \`ordeal clean --run ${run}\` once more, or restart the engine`,
        { cause: last },
      );
    }
    for (const kind of ['container', 'network', 'volume'] as const) {
      const settled = await Promise.allSettled(
        found.filter((item) => item.kind === kind).map((item) => removeOne(engine, item)),
      );
      for (const outcome of settled) {
        if (outcome.status === 'fulfilled') removed.set(outcome.value.id, outcome.value);
        else last = outcome.reason as unknown;
      }
    }
    if (last !== undefined) await clock.sleep(retryMs);
  }
}

async function removeOne(engine: Engine, item: Leftover): Promise<Leftover> {
  const { docker } = engine;
  const what = `removing ${item.kind} ${item.name}`;
  try {
    await engine.call(what, async () => {
      if (item.kind === 'container') await removeContainer(engine, item.id);
      else if (item.kind === 'network') await docker.getNetwork(item.id).remove();
      else await docker.getVolume(item.id).remove({ force: true });
    });
  } catch (error) {
    // Gone already: somebody else was removing the same thing.
    if (dockerStatus(error) !== 404) throw error;
  }
  return item;
}

async function removeContainer(engine: Engine, id: string): Promise<void> {
  const container = engine.docker.getContainer(id);
  try {
    await container.remove({ force: true, v: true });
  } catch (error) {
    if (dockerStatus(error) === 404) return;
    // Old engines refuse to remove a frozen container even by force.
    await container.unpause().catch(() => undefined);
    await container.remove({ force: true, v: true });
  }
}
