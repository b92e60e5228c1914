/** Drives the workers of a workload: one loop and one client each, until told to stop. */
import { assert } from '../core/assert.ts';
import type {
  MemberFactory,
  ProducerClient,
  ProducerFactory,
  ReaderClient,
  ReaderFactory,
} from '../spi/client.ts';
import type { WorkerScript } from '../spi/workload.ts';
import { createClientSupply, shareClient, type ClientSupply } from './client-supply.ts';
import { runMember, withNews, type Membership } from './member-worker.ts';
import { runProducer } from './producing-worker.ts';
import { runReader } from './reading-worker.ts';
import type { WorkerParts } from './worker.ts';

export interface InterpreterParts extends WorkerParts {
  readonly scripts: readonly WorkerScript[];
  readonly producers: ProducerFactory;
  readonly readers: ReaderFactory;
  /** Null where the clients of this cluster join no groups: then no script may ask for it. */
  readonly members: MemberFactory | null;
}

export interface Interpreter {
  /** Connects the first client of every worker: null when all are, else why the newest attempt of one failed. */
  connect(): Promise<string | null>;
  /** Starts every loop; the workload's clock begins now. Resolves when all have stopped; rejects with the first that failed. */
  run(): Promise<void>;
}

/** Worker w begins as process w, in the order of `scripts`. */
export function createInterpreter(parts: InterpreterParts): Interpreter {
  const shared = sharedProducers(parts);
  const workers = parts.scripts.map((script, index) => createWorker(parts, script, index, shared));
  return {
    connect: async () => {
      const errors = await Promise.all(workers.map((worker) => worker.connect()));
      return errors.find((error) => error !== null) ?? null;
    },
    run: async () => {
      const startNs = parts.clock.nowNs();
      await Promise.all(workers.map((worker) => worker.run(startNs)));
    },
  };
}

interface Worker {
  connect(): Promise<string | null>;
  run(startNs: number): Promise<void>;
}

type ProducerSupply = ClientSupply<ProducerClient>;

/** One supply per session, shared by its workers. */
function sharedProducers(parts: InterpreterParts): ReadonlyMap<string, ProducerSupply> {
  const holders = new Map<string, number>();
  for (const { session } of parts.scripts) {
    if (session !== null) holders.set(session, (holders.get(session) ?? 0) + 1);
  }
  return new Map(
    [...holders].map(([session, count]) => [
      session,
      shareClient(producerSupply(parts, `session-${session}`), count),
    ]),
  );
}

function producerSupply(parts: InterpreterParts, namePrefix: string): ProducerSupply {
  return createClientSupply(parts, namePrefix, (name) => parts.producers.create(name));
}

function createWorker(
  parts: InterpreterParts,
  script: WorkerScript,
  process: number,
  shared: ReadonlyMap<string, ProducerSupply>,
): Worker {
  if (script.kind === 'producer') {
    const ofSession = script.session === null ? undefined : shared.get(script.session);
    const supply = ofSession ?? producerSupply(parts, `producer-${process}`);
    return workerWith<ProducerClient>(parts, supply, (client, startNs) =>
      runProducer(parts, script, process, client, supply, startNs),
    );
  }
  assert(script.session === null, 'only producers share a client');
  if (script.kind === 'member') return memberWorker(parts, script, process);
  const supply = createClientSupply(parts, `reader-${process}`, (name) =>
    parts.readers.create(name, 'read_committed'),
  );
  return workerWith<ReaderClient>(parts, supply, (client, startNs) =>
    runReader(parts, script, process, client, supply, startNs),
  );
}

function memberWorker(parts: InterpreterParts, script: WorkerScript, process: number): Worker {
  const { members } = parts;
  const { group } = script;
  assert(members !== null && group !== null, 'a member has a group, and its cluster has members');
  const supply = createClientSupply(parts, `member-${process}`, (name) =>
    withNews((told) => members.create(name, group, told)),
  );
  return workerWith<Membership>(parts, supply, (client, startNs) =>
    runMember(parts, script, process, client, supply, startNs),
  );
}

function workerWith<C extends AsyncDisposable>(
  parts: WorkerParts,
  supply: ClientSupply<C>,
  loop: (client: C, startNs: number) => Promise<void>,
): Worker {
  let first: C | null = null;
  return {
    connect: async () => {
      first = await supply.next();
      return first === null ? (supply.lastError ?? 'stopped before it was connected') : null;
    },
    run: async (startNs) => {
      const client = first;
      assert(client !== null, 'a worker runs only after it was connected');
      first = null;
      if (parts.stop.aborted) supply.release(client);
      else await loop(client, startNs);
    },
  };
}
