/**
 * The controllers' quorum without brokers: nodes that hold nothing but their part of it, and what Raft promises, checked
 * at every election and every commit.
 */
import { Connections, type Server } from '../../src/clusters/simulated/connection.ts';
import { Kernel } from '../../src/clusters/simulated/kernel.ts';
import { Network } from '../../src/clusters/simulated/network.ts';
import { NodeProcess } from '../../src/clusters/simulated/node-process.ts';
import { Peers } from '../../src/clusters/simulated/peers.ts';
import {
  Quorum,
  type AppendRequest,
  type QuorumDisk,
  type QuorumEntry,
  type VoteRequest,
} from '../../src/clusters/simulated/quorum.ts';
import { randomStream } from '../../src/core/random.ts';
import { planes, type NodeId } from '../../src/spi/cluster.ts';
import { quietProfile } from '../../src/spi/simulation.ts';
import { advance, advanceUntil } from './model-cluster.ts';

interface Voter {
  readonly process: NodeProcess;
  readonly disk: QuorumDisk;
  readonly server: Server;
  quorum: Quorum | null;
}

export class ModelQuorum {
  readonly kernel = new Kernel();
  readonly network: Network;
  readonly connections: Connections;
  readonly voters = new Map<NodeId, Voter>();
  /** What was committed, by index, on whichever node first. */
  readonly committed: QuorumEntry[] = [];
  readonly leaders = new Map<number, NodeId>();
  readonly resigned: NodeId[] = [];
  readonly #ids: readonly NodeId[];
  readonly #seed: string;
  #proposals = 0;

  constructor(seed: string, ids: readonly NodeId[] = [1, 2, 3]) {
    this.#ids = ids;
    this.#seed = seed;
    this.network = new Network(this.kernel, randomStream(seed, 'network'), quietProfile);
    this.connections = new Connections(this.network);
    for (const id of ids) {
      const process = new NodeProcess(id, this.kernel, 0);
      const server: Server = {
        process,
        listens: () => this.voter(id).quorum !== null,
        handle: (_plane, request, respond) => {
          respond(this.voter(id).quorum?.handle(request as VoteRequest | AppendRequest));
        },
      };
      const disk: QuorumDisk = { term: 0, votedFor: null, log: [] };
      this.voters.set(id, { process, disk, server, quorum: null });
    }
    for (const id of ids) this.start(id);
  }

  voter(id: NodeId): Voter {
    const voter = this.voters.get(id);
    if (voter === undefined) throw new Error(`no voter ${id}`);
    return voter;
  }

  start(id: NodeId): void {
    const voter = this.voter(id);
    const { process, disk } = voter;
    if (process.running) return;
    process.begin();
    const servers = new Map([...this.voters].map(([other, { server }]) => [other, server]));
    const quorum: Quorum = new Quorum(
      process,
      new Peers(process, this.connections, servers),
      this.#ids,
      disk,
      randomStream(this.#seed, `voter-${id}-${process.incarnation}`),
      {
        onCommit: () => {
          this.#noteCommitted(id, quorum.committed);
        },
        onElected: () => {
          this.#noteLeader(id);
        },
        onResigned: () => this.resigned.push(id),
      },
    );
    voter.quorum = quorum;
    quorum.begin();
  }

  kill(id: NodeId): void {
    const voter = this.voter(id);
    voter.process.end(137);
    voter.quorum = null;
    this.connections.died(voter.process);
  }

  isolate(id: NodeId): void {
    const peers = this.#ids.filter((peer) => peer !== id);
    this.network.cut(
      `isolated-${id}`,
      peers.map((peer) => ({ at: id, peer, planes, directions: ['in', 'out'] })),
    );
  }

  /** Who believes to lead; an old leader that is cut may believe it still. */
  leading(): readonly NodeId[] {
    return this.#ids.filter((id) => this.voter(id).quorum?.leads === true);
  }

  /** Something that no other proposal is, by each that believes to lead and runs. */
  propose(): void {
    for (const id of this.leading()) {
      if (this.voter(id).process.frozen) continue;
      this.#proposals += 1;
      this.voter(id).quorum?.propose({ kind: 'producer-ids', next: this.#proposals });
    }
  }

  advance(ms: number): void {
    advance(this.kernel, ms);
  }

  until(holds: () => boolean, msMax?: number): void {
    advanceUntil(this.kernel, holds, msMax);
  }

  /** @throws if two disks hold the same term at one index, and not the same before it. */
  checkLogs(): void {
    const logs = [...this.voters.values()].map(({ disk }) => disk.log);
    for (const a of logs) {
      for (const b of logs) {
        let at = Math.min(a.length, b.length) - 1;
        while (at >= 0 && a[at]?.term !== b[at]?.term) at -= 1;
        for (; at >= 0; at--) same(a[at], b[at], `entry ${at} of two logs`);
      }
    }
  }

  #noteCommitted(id: NodeId, committed: number): void {
    const { log } = this.voter(id).disk;
    for (let at = 0; at < committed; at++) {
      const entry = log[at];
      if (entry === undefined) throw new Error(`node ${id} commits what it does not hold`);
      const known = this.committed[at];
      if (known === undefined) this.committed.push(entry);
      else same(entry, known, `committed entry ${at} on node ${id}`);
    }
  }

  #noteLeader(id: NodeId): void {
    const { term, log } = this.voter(id).disk;
    const other = this.leaders.get(term);
    if (other !== undefined) throw new Error(`nodes ${other} and ${id} lead term ${term}`);
    this.leaders.set(term, id);
    this.committed.forEach((entry, at) => {
      same(log[at], entry, `committed entry ${at} on the new leader ${id}`);
    });
  }
}

function same(a: QuorumEntry | undefined, b: QuorumEntry | undefined, what: string): void {
  const [left, right] = [JSON.stringify(a), JSON.stringify(b)];
  if (left !== right) throw new Error(`${what}: ${left} is not ${right}`);
}
