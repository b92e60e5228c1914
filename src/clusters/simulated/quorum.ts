/**
 * The controllers' quorum: Raft over the controller plane. A leader is elected by majority, entries are committed by
 * majority, and a leader that hears from no majority for a while resigns, as KRaft's does. Terms, votes and log survive
 * a restart and a power loss: KRaft syncs them.
 */
import type { Random } from '../../core/random.ts';
import { nsPerMs } from '../../core/units.ts';
import type { NodeId } from '../../spi/cluster.ts';
import type { MetadataRecord } from './metadata-image.ts';
import type { NodeProcess } from './node-process.ts';
import type { Peers } from './peers.ts';

const heartbeatMs = 300;
/** From the last word of a leader until a follower stands for election; drawn between the two. */
const electionMsMin = 1_200;
const electionMsMax = 2_000;
const callTimeoutMs = 1_000;
const resignMs = 2_500;

export interface QuorumEntry {
  readonly term: number;
  readonly record: MetadataRecord;
}

/** What the quorum keeps on disk. */
export interface QuorumDisk {
  term: number;
  votedFor: NodeId | null;
  readonly log: QuorumEntry[];
}

export interface VoteRequest {
  readonly type: 'vote';
  readonly term: number;
  readonly candidate: NodeId;
  readonly lastIndex: number;
  readonly lastTerm: number;
}
interface VoteResponse {
  readonly term: number;
  readonly granted: boolean;
}
export interface AppendRequest {
  readonly type: 'append';
  readonly term: number;
  readonly leader: NodeId;
  /** Entries before this index are known to match if the one before it has `previousTerm`. */
  readonly from: number;
  readonly previousTerm: number;
  readonly entries: readonly QuorumEntry[];
  readonly committed: number;
}
interface AppendResponse {
  readonly term: number;
  /** The length up to which the follower's log matches, or where to try next. */
  readonly matched: number;
  readonly ok: boolean;
}

export interface QuorumListener {
  /** Entries up to `committed` may be applied. */
  onCommit(): void;
  onElected(): void;
  onResigned(): void;
}

interface Follower {
  next: number;
  matched: number;
  heardNs: number;
  busy: boolean;
  /** Something was appended while a call was under way. */
  again: boolean;
}

export class Quorum {
  readonly disk: QuorumDisk;
  readonly #process: NodeProcess;
  readonly #peers: Peers;
  readonly #others: readonly NodeId[];
  readonly #random: Random;
  readonly #listener: QuorumListener;
  #committed = 0;
  #leader: NodeId | null = null;
  #followers: Map<NodeId, Follower> | null = null;
  #heardNs = 0;
  #electionMs = 0;

  constructor(
    process: NodeProcess,
    peers: Peers,
    voters: readonly NodeId[],
    disk: QuorumDisk,
    random: Random,
    listener: QuorumListener,
  ) {
    this.#process = process;
    this.#peers = peers;
    this.#others = voters.filter((voter) => voter !== process.id);
    this.disk = disk;
    this.#random = random;
    this.#listener = listener;
  }

  begin(): void {
    this.#listen();
    this.#process.every(heartbeatMs, () => {
      this.#tick();
    });
  }

  /** Who leads, as far as this node knows. */
  get leader(): NodeId | null {
    return this.#leader;
  }

  get term(): number {
    return this.disk.term;
  }

  get committed(): number {
    return this.#committed;
  }

  get leads(): boolean {
    return this.#followers !== null;
  }

  /** Only the leader may. @returns the index that the entry has. */
  propose(record: MetadataRecord): number {
    this.disk.log.push({ term: this.disk.term, record });
    if (this.#others.length === 0) this.#advance();
    for (const other of this.#others) this.#replicate(other);
    return this.disk.log.length - 1;
  }

  handle(request: VoteRequest | AppendRequest): VoteResponse | AppendResponse {
    if (request.term > this.disk.term) this.#adopt(request.term);
    return request.type === 'vote' ? this.#vote(request) : this.#append(request);
  }

  #tick(): void {
    const nowNs = this.#process.kernel.nowNs;
    const followers = this.#followers;
    if (followers === null) {
      if (nowNs - this.#heardNs > this.#electionMs * nsPerMs) this.#stand();
      return;
    }
    const heard = [...followers.values()].filter(
      ({ heardNs }) => nowNs - heardNs < resignMs * nsPerMs,
    );
    if (!this.#isMajority(heard.length + 1)) {
      this.#resign();
      return;
    }
    for (const other of this.#others) this.#replicate(other);
  }

  #isMajority(count: number): boolean {
    return 2 * count > this.#others.length + 1;
  }

  #listen(): void {
    this.#heardNs = this.#process.kernel.nowNs;
    this.#electionMs = this.#random.between(electionMsMin, electionMsMax);
  }

  #adopt(term: number): void {
    this.disk.term = term;
    this.disk.votedFor = null;
    this.#resign();
  }

  #resign(): void {
    this.#leader = null;
    if (this.#followers === null) return;
    this.#followers = null;
    this.#listen();
    this.#listener.onResigned();
  }

  #stand(): void {
    this.#listen();
    const { disk } = this;
    disk.term += 1;
    disk.votedFor = this.#process.id;
    this.#leader = null;
    const { term } = disk;
    let votes = 1;
    const count = (response: unknown): void => {
      const vote = response as VoteResponse | null;
      if (vote === null) return;
      if (vote.term > disk.term) this.#adopt(vote.term);
      if (disk.term !== term || this.leads || !vote.granted) return;
      votes += 1;
      if (this.#isMajority(votes)) this.#lead();
    };
    if (this.#isMajority(votes)) this.#lead();
    const request: VoteRequest = {
      type: 'vote',
      term,
      candidate: this.#process.id,
      lastIndex: disk.log.length,
      lastTerm: disk.log.at(-1)?.term ?? 0,
    };
    for (const other of this.#others) {
      this.#peers.call(other, 'controller', request, callTimeoutMs, count);
    }
  }

  #vote(request: VoteRequest): VoteResponse {
    const { disk } = this;
    const lastTerm = disk.log.at(-1)?.term ?? 0;
    const isUpToDate =
      request.lastTerm > lastTerm ||
      (request.lastTerm === lastTerm && request.lastIndex >= disk.log.length);
    const isFree = disk.votedFor === null || disk.votedFor === request.candidate;
    const granted = request.term === disk.term && isUpToDate && isFree;
    if (granted) {
      disk.votedFor = request.candidate;
      this.#listen();
    }
    return { term: disk.term, granted };
  }

  #lead(): void {
    const nowNs = this.#process.kernel.nowNs;
    const next = this.disk.log.length;
    this.#leader = this.#process.id;
    this.#followers = new Map(
      this.#others.map((other) => [
        other,
        { next, matched: 0, heardNs: nowNs, busy: false, again: false },
      ]),
    );
    this.propose({ kind: 'no-op' });
    this.#listener.onElected();
  }

  #replicate(to: NodeId): void {
    const follower = this.#followers?.get(to);
    if (follower === undefined) return;
    if (follower.busy) {
      follower.again = true;
      return;
    }
    follower.busy = true;
    follower.again = false;
    const { disk } = this;
    const { term } = disk;
    const from = follower.next;
    const request: AppendRequest = {
      type: 'append',
      term,
      leader: this.#process.id,
      from,
      previousTerm: disk.log[from - 1]?.term ?? 0,
      entries: disk.log.slice(from),
      committed: this.#committed,
    };
    this.#peers.call(to, 'controller', request, callTimeoutMs, (response) => {
      follower.busy = false;
      const answer = response as AppendResponse | null;
      if (answer === null) return;
      if (answer.term > disk.term) this.#adopt(answer.term);
      if (disk.term !== term || this.#followers?.get(to) !== follower) return;
      follower.heardNs = this.#process.kernel.nowNs;
      follower.next = answer.matched;
      if (answer.ok) {
        follower.matched = answer.matched;
        this.#advance();
      }
      if (!answer.ok || follower.again) this.#replicate(to);
    });
  }

  #append(request: AppendRequest): AppendResponse {
    const { disk } = this;
    if (request.term < disk.term) return { term: disk.term, matched: 0, ok: false };
    if (this.leads) throw new Error('two leaders of one term');
    this.#leader = request.leader;
    this.#listen();
    const { from } = request;
    const fits =
      disk.log.length >= from && (disk.log[from - 1]?.term ?? 0) === request.previousTerm;
    if (!fits) {
      return { term: disk.term, matched: Math.min(from - 1, disk.log.length), ok: false };
    }
    request.entries.forEach((entry, position) => {
      const at = from + position;
      if (disk.log[at]?.term === entry.term) return;
      disk.log.length = at;
      disk.log.push(entry);
    });
    const matched = from + request.entries.length;
    if (Math.min(request.committed, matched) > this.#committed) {
      this.#committed = Math.min(request.committed, matched);
      this.#listener.onCommit();
    }
    return { term: disk.term, matched, ok: true };
  }

  /** Commits what a majority holds, if the last of it is of this term. */
  #advance(): void {
    const matched = [...(this.#followers?.values() ?? [])].map((follower) => follower.matched);
    const lengths = [...matched, this.disk.log.length].sort((a, b) => b - a);
    const held = lengths[Math.floor(lengths.length / 2)] ?? 0;
    if (held <= this.#committed || this.disk.log[held - 1]?.term !== this.disk.term) return;
    this.#committed = held;
    this.#listener.onCommit();
    for (const other of this.#others) this.#replicate(other);
  }
}
