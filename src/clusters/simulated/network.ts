/**
 * The network: hosts, and connections between them that deliver in order. A transmission that a rule drops or that is
 * lost is tried again with TCP's back-off, and everything behind it waits: so what was sent into a cut comes late, in
 * order, some time after the heal.
 */
import type { Random } from '../../core/random.ts';
import { nsPerMs } from '../../core/units.ts';
import type { CutCounters, CutRule, NodeId, Plane } from '../../spi/cluster.ts';
import type { SimulatedProfile } from '../../spi/simulation.ts';
import type { Kernel } from './kernel.ts';

/** A node's number, or the one host on which all clients run. */
export type Host = NodeId;
export const clientHost: Host = 0;

/** Retransmission: the first after 200 ms, doubled up to two minutes; of a connection request, from 1 s on. */
const retransmitMsMin = 200;
const connectRetryMsMin = 1_000;
const retransmitMsMax = 120_000;

interface StandingRule {
  readonly cut: string;
  readonly rule: CutRule;
  in: number;
  out: number;
}

export class Network {
  readonly kernel: Kernel;
  readonly #random: Random;
  readonly #profile: SimulatedProfile;
  #rules: StandingRule[] = [];

  constructor(kernel: Kernel, random: Random, profile: SimulatedProfile) {
    this.kernel = kernel;
    this.#random = random;
    this.#profile = profile;
  }

  cut(cut: string, rules: readonly CutRule[]): void {
    if (this.#rules.some((standing) => standing.cut === cut)) return;
    this.#rules.push(...rules.map((rule) => ({ cut, rule, in: 0, out: 0 })));
  }

  heal(cut: string): void {
    this.#rules = this.#rules.filter((standing) => standing.cut !== cut);
  }

  standing(): readonly string[] {
    return [...new Set(this.#rules.map(({ cut }) => cut))];
  }

  counters(cut: string): CutCounters {
    const byNode: Record<string, { in: number; out: number }> = {};
    let packets = 0;
    for (const standing of this.#rules) {
      if (standing.cut !== cut) continue;
      const counted = (byNode[`node-${standing.rule.at}`] ??= { in: 0, out: 0 });
      counted.in += standing.in;
      counted.out += standing.out;
      packets += standing.in + standing.out;
    }
    return { packets, byNode };
  }

  /** Whether one packet passes the rules; a dropped one is counted by the rule that dropped it. */
  passes(from: Host, to: Host, plane: Plane): boolean {
    for (const standing of this.#rules) {
      const { at, peer, planes, directions } = standing.rule;
      if (!planes.includes(plane)) continue;
      if (at === to && isPeer(peer, from) && directions.includes('in')) {
        standing.in += 1;
        return false;
      }
      if (at === from && isPeer(peer, to) && directions.includes('out')) {
        standing.out += 1;
        return false;
      }
    }
    return true;
  }

  /** True for a first transmission that is lost by chance. */
  loses(): boolean {
    const { lossPerMillion } = this.#profile;
    return lossPerMillion > 0 && this.#random.chance(lossPerMillion, 1_000_000);
  }

  /** One way, with what the receiver takes to handle it. */
  delayNs(): number {
    const { latencyUs, serviceUs } = this.#profile;
    const low = latencyUs[0] + serviceUs[0];
    return this.#random.between(low, latencyUs[1] + serviceUs[1]) * 1_000;
  }
}

function isPeer(peer: NodeId | 'clients', host: Host): boolean {
  return peer === 'clients' ? host === clientHost : peer === host;
}

/** One direction of a connection. */
export class Pipe {
  readonly #network: Network;
  readonly #from: Host;
  readonly #to: Host;
  readonly #plane: Plane;
  readonly #retryMsMin: number;
  #lastArrivalNs = 0;
  #stalled: (() => void)[] | null = null;
  #attempt = 0;

  constructor(network: Network, from: Host, to: Host, plane: Plane, kind: 'data' | 'connect') {
    this.#network = network;
    this.#from = from;
    this.#to = to;
    this.#plane = plane;
    this.#retryMsMin = kind === 'connect' ? connectRetryMsMin : retransmitMsMin;
  }

  /** Runs `arrive` when the message gets there; after all that were sent before it. */
  send(arrive: () => void): void {
    if (this.#stalled !== null) {
      this.#stalled.push(arrive);
      return;
    }
    if (this.#transmits(this.#network.loses())) this.#deliver(arrive);
    else this.#stall(arrive);
  }

  #transmits(lost: boolean): boolean {
    return (
      this.#from === this.#to || (!lost && this.#network.passes(this.#from, this.#to, this.#plane))
    );
  }

  #deliver(arrive: () => void): void {
    const { kernel } = this.#network;
    const atNs = Math.max(kernel.nowNs + this.#network.delayNs(), this.#lastArrivalNs);
    this.#lastArrivalNs = atNs;
    if (this.#to === clientHost) kernel.wakeAfter(atNs - kernel.nowNs, arrive);
    else kernel.after(atNs - kernel.nowNs, arrive);
  }

  #stall(arrive: () => void): void {
    this.#stalled = [arrive];
    this.#attempt = 0;
    this.#retryLater();
  }

  #retryLater(): void {
    const delayMs = Math.min(this.#retryMsMin * 2 ** this.#attempt, retransmitMsMax);
    this.#attempt += 1;
    this.#network.kernel.after(delayMs * nsPerMs, () => {
      if (!this.#transmits(false)) {
        this.#retryLater();
        return;
      }
      const waiting = this.#stalled ?? [];
      this.#stalled = null;
      for (const arrive of waiting) this.#deliver(arrive);
    });
  }
}
