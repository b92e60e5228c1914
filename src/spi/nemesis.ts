/** A nemesis: draws faults of one family from the seed, injects them through the cluster's ports, and undoes them. */
import type { Clock } from '../core/clock.ts';
import type { Random } from '../core/random.ts';
import type { Evidence } from '../history/event.ts';
import type { Cluster, NodeId, PortName } from './cluster.ts';

/** Whom to hurt, resolved when the fault begins; numbers are node ids. */
export type Role =
  | { readonly role: 'node'; readonly node: NodeId }
  | { readonly role: 'leader'; readonly topic: string; readonly partition: number }
  | { readonly role: 'follower'; readonly topic: string; readonly partition: number }
  | { readonly role: 'controller' }
  | { readonly role: 'group-coordinator'; readonly key: string }
  | { readonly role: 'transaction-coordinator'; readonly key: string }
  | { readonly role: 'minority'; readonly controller: 'with' | 'without' }
  | { readonly role: 'majority' }
  | { readonly role: 'all' }
  /** A client that is a process of its own: the nemesis finds it, for no node is hurt. */
  | { readonly role: 'client'; readonly position: number };

/** What was drawn from the seed: a plain record, written to the schedule and to the history, and replayable. */
export interface FaultPlan {
  readonly target: Role;
  /** The nemesis's own variant, e.g. "SIGTERM", "isolate", "halves", "one-way-in". */
  readonly variant: string;
  readonly [detail: string]: unknown;
}

export interface ScheduledFault {
  /** "f1", "f2" …: unique within the run. */
  readonly id: string;
  readonly nemesis: string;
  /** Milliseconds after the faults phase began. */
  readonly atMs: number;
  readonly durationMs: number;
  readonly plan: FaultPlan;
}

export interface DrawContext {
  readonly topics: readonly { readonly name: string; readonly partitions: number }[];
  readonly nodes: readonly NodeId[];
}

/** Records durably what must be undone, before it is done (DESIGN.md section 6). */
export interface UndoJournal {
  /** Resolves when the entry is on disk. */
  plan(entry: {
    readonly fault: string;
    readonly nemesis: string;
    readonly targets: readonly NodeId[];
    readonly plan: FaultPlan;
  }): Promise<void>;
  done(fault: string): Promise<void>;
}

export interface FaultContext {
  readonly fault: string;
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly plan: FaultPlan;
  readonly targets: readonly NodeId[];
  /** Bound of measuring one piece of evidence. */
  readonly evidenceTimeoutMs: number;
}

/** How long faults of a nemesis stand, and how long the cluster needs after one; a schedule is drawn from it. */
export interface FaultTiming {
  /** Ranges in ms, both ends included: one is picked, then a duration in it. */
  readonly durationsMs: readonly (readonly [low: number, high: number])[];
  /** Time after a heal until the cluster is usually whole again: the next fault does not begin sooner if time allows. */
  readonly settleMs: number;
}

export interface Nemesis {
  /** The kind of fault: `--nemesis` names it, the header's `faults` lists it, and its operations carry it as `f`. */
  readonly name: string;
  readonly needs: readonly PortName[];
  /** Absent: 4 to 9 s, and 4 s to settle. */
  readonly timing?: FaultTiming;
  /** True: only who names it gets it; `all` and swarms leave it out. */
  readonly onlyByName?: true;
  /** One sentence for `ordeal list`. */
  readonly summary: string;
  /** Draws the plan of one fault; pure. */
  draw(random: Random, context: DrawContext): FaultPlan;
  /** Does it, measures, and says whether it bit. Throws only if it could not be done at all. */
  inject(context: FaultContext): Promise<Evidence>;
  /** Undoes it (idempotent), measures, and says in `tookEffect` whether the undoing is proved. */
  heal(context: FaultContext, injected: Evidence): Promise<Evidence>;
}
