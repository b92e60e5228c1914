/** The network port: cuts as rules inside the holders' namespaces; the host's own rules are never touched. */
import { OrdealError } from '../../core/errors.ts';
import { nsPerMs } from '../../core/units.ts';
import type { CutRule, NetworkPort, NodeId, Plane, Probe } from '../../spi/cluster.ts';
import type { Engine, ExecResult } from './engine.ts';
import { planePorts } from './environment.ts';
import { cutCounters, removeCommand, restoreText, standingCuts } from './iptables.ts';
import { settleAll, type Pod } from './pods.ts';

const probeTimeoutS = 1;
const restoreCommand = 'printf %s "$1" | iptables-restore -w 5 --noflush';
/** An exec of iptables takes 0.1 s on an idle machine; on one where brokers restart, much longer. */
const ruleTimeoutMs = 15_000;

/** @param pods of the running cluster; throws if it was not started. */
export function createNetworkPort(
  engine: Engine,
  pods: () => ReadonlyMap<NodeId, Pod>,
): NetworkPort {
  const podOf = (node: NodeId): Pod => {
    const pod = pods().get(node);
    if (pod !== undefined) return pod;
    throw new OrdealError(
      'UNSUPPORTED',
      `the cluster has no node ${node}`,
      `nodes are ${[...pods().keys()].join(', ')}`,
    );
  };
  // Chains live in this cluster's own pods and are made by this object alone, so its memory of names is complete.
  const known = new Set<string>();
  const heal = async (cut: string): Promise<void> => {
    await settleAll([...pods().values()].map((pod) => inHolder(engine, pod, removeCommand(cut))));
    known.delete(cut);
  };
  const saved = async (): Promise<Map<NodeId, string>> => {
    const list = [...pods().values()];
    const texts = await Promise.all(
      list.map((pod) => inHolder(engine, pod, 'iptables-save -c -t filter')),
    );
    return new Map(list.map((pod, i) => [pod.node, texts[i]?.stdout ?? '']));
  };
  return {
    cut: async (cut, rules) => {
      const addresses = new Map([...pods().values()].map((pod) => [pod.node, pod.address]));
      const byNode = groupByNode(rules);
      for (const node of byNode.keys()) podOf(node);
      // A second cut of the same name replaces the first instead of standing beside it.
      if (known.has(cut)) await heal(cut);
      known.add(cut);
      try {
        await settleAll(
          [...byNode].map(([node, mine]) => {
            const text = restoreText(cut, mine, addresses);
            return inHolder(engine, podOf(node), restoreCommand, text);
          }),
        );
      } catch (error) {
        // One node refused: the others must not stay cut under a name that nobody was told of.
        await heal(cut);
        throw error;
      }
    },
    counters: async (cut) => cutCounters(cut, await saved()),
    heal,
    standing: async () => standingCuts([...(await saved()).values()].join('\n')),
    probe: (from, to, plane) => probeFrom(engine, podOf(from), podOf(to), plane),
  };
}

/** Tries a connection from inside the pod's namespace, where the cuts are. */
async function probeFrom(engine: Engine, from: Pod, to: Pod, plane: Plane): Promise<Probe> {
  const where = `${to.address}:${planePorts[plane]}`;
  const startedNs = engine.clock.nowNs();
  const result = await engine.exec(from.holder, [
    'timeout',
    String(probeTimeoutS),
    'bash',
    '-c',
    `exec 3<>/dev/tcp/${to.address}/${planePorts[plane]}`,
  ]);
  const tookMs = Math.round((engine.clock.nowNs() - startedNs) / nsPerMs);
  const ends = { from: from.node, to: to.node, plane };
  if (result.exitCode === 0) {
    return { ...ends, connected: true, detail: `${where} accepted (${tookMs} ms)` };
  }
  const said = result.stderr.trim().split(': ').at(-1) ?? '';
  const why = result.exitCode === 124 ? `no answer within ${probeTimeoutS} s` : said;
  return { ...ends, connected: false, detail: `${where}: ${why}` };
}

function groupByNode(rules: readonly CutRule[]): Map<NodeId, CutRule[]> {
  const byNode = new Map<NodeId, CutRule[]>();
  for (const rule of rules) byNode.set(rule.at, [...(byNode.get(rule.at) ?? []), rule]);
  return byNode;
}

/** Runs shell text in a pod's holder; `parameter` is its $1. @throws OrdealError DOCKER_FAILED on a non-zero exit. */
async function inHolder(
  engine: Engine,
  pod: Pod,
  command: string,
  parameter = '',
): Promise<ExecResult> {
  const result = await engine.exec(pod.holder, ['sh', '-c', command, 'sh', parameter], {
    timeoutMs: ruleTimeoutMs,
  });
  if (result.exitCode === 0) return result;
  throw new OrdealError(
    'DOCKER_FAILED',
    `in the holder of node ${pod.node}, "${command.slice(0, 80)}" exited ${result.exitCode}: ${result.stderr.trim()}`,
    'run `ordeal doctor`: it tries iptables in a holder',
  );
}
