/** What a run is given and what it returns; the types between the composition root and src/run. */
import type { Clock } from '../core/clock.ts';
import type { Recorder } from '../history/recording.ts';
import type { AuditClient, MemberFactory, ProducerFactory, ReaderFactory } from '../spi/client.ts';
import type { Cluster } from '../spi/cluster.ts';
import type { Nemesis } from '../spi/nemesis.ts';
import type { Workload } from '../spi/workload.ts';
import type { Header } from '../history/event.ts';
import type { RunFiles } from './run-files.ts';

/** The clients of one run, made once the cluster's addresses are known. */
export interface Connections extends AsyncDisposable {
  readonly producers: ProducerFactory;
  readonly readers: ReaderFactory;
  /** Null where no client joins groups. */
  readonly members: MemberFactory | null;
  readonly auditor: AuditClient;
}

/** What the composition root plugs in. */
export interface RunParts {
  readonly clock: Clock;
  /** The clock is the machine's: only then can the harness be late, and is it measured. */
  readonly realTime: boolean;
  readonly cluster: Cluster;
  readonly workload: Workload;
  readonly nemeses: ReadonlyMap<string, Nemesis>;
  connect(cluster: Cluster): Promise<Connections>;
  /** Opens the recorder; the header is on disk when it resolves. */
  record(path: string, header: Header): Promise<Recorder>;
  /** Names the run in the header; absent: the test and the name of the run directory. */
  readonly run?: string;
  /** Aborted at the second SIGINT or SIGTERM: heal and tear down, nothing else. */
  readonly hurry?: AbortSignal;
  /** The run directory; absent: real files. */
  readonly files?: RunFiles;
}

export interface RunOutcome {
  /** Path of history.jsonl. */
  readonly history: string;
  readonly interrupted: 'SIGINT' | 'SIGTERM' | null;
  /** The harness's or environment's own failure, after which everything was still healed and closed; null if none. */
  readonly failure: Error | null;
}
