/** What a run tells while it runs; the command line renders it, a test records it. */
export type PhaseName =
  'set-up' | 'faults' | 'heal' | 'recovery' | 'drain' | 'audit' | 'tear-down' | 'check';

export interface ProgressSnapshot {
  readonly phase: PhaseName;
  readonly elapsedMs: number;
  readonly acknowledged: number;
  readonly failed: number;
  readonly uncertain: number;
  readonly recordsPolled: number;
  readonly faultsInjected: number;
  /** Faults that stand now, e.g. "f3 partition isolate node 2". */
  readonly standing: readonly string[];
}

export interface Progress {
  /** A step worth a line of its own: phases, faults, heals, cluster start. */
  line(text: string): void;
  /** The counters, about twice a second; renderers thin them out. */
  snapshot(snapshot: ProgressSnapshot): void;
}
