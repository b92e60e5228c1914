/** Members as processes: starts one program for each, and speaks with it over its standard input and output. */
import type { LogName } from '../../history/event.ts';
import type {
  GroupOffsets,
  MemberClient,
  MemberFactory,
  MemberIdentity,
  Outcome,
  PollResult,
  RebalanceTold,
} from '../../spi/client.ts';
import type { NodeInfo, Program, ProgramHost } from '../../spi/cluster.ts';
import type { MemberAnswer, MemberRequest } from './member-protocol.ts';

export interface MemberProcessesOptions {
  readonly host: ProgramHost;
  /** Path of the built member-program.js. */
  readonly program: string;
  readonly nodes: readonly NodeInfo[];
  /** Where a member begins whose group has committed nothing. */
  readonly fromBeginning: boolean;
  /** Takes the members' own log lines. */
  readonly log: (line: string) => void;
}

export function createMemberProcesses(options: MemberProcessesOptions): MemberFactory {
  const members = new Set<MemberProcess>();
  return {
    create: async (name, group, told) => {
      const { host, program, nodes, fromBeginning, log } = options;
      const member = new MemberProcess(told);
      members.add(member);
      await member.start(() => host.start(name, program, { line: (line) => { member.hear(line); }, log, ended: () => { member.end(); members.delete(member); } })); // prettier-ignore
      const created = await member.ask({ do: 'create', name, group, nodes, fromBeginning });
      if (created.type !== 'ok') {
        await member[Symbol.asyncDispose]();
        throw new Error(`${name}: ${created.error.message}`);
      }
      return member;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...members].map((member) => member[Symbol.asyncDispose]()));
    },
  };
}

class MemberProcess implements MemberClient {
  readonly #told: (rebalance: RebalanceTold) => void;
  readonly #open = new Map<number, (outcome: Outcome<unknown>) => void>();
  #program: Program | null = null;
  #identity: MemberIdentity = {};
  readonly #lines: string[] = [];
  /** A line was read in this turn of the event loop. */
  #waits = false;
  #asked = 0;
  #heard = 0;
  #disposed = false;

  constructor(told: (rebalance: RebalanceTold) => void) {
    this.#told = told;
  }

  async start(start: () => Promise<Program>): Promise<void> {
    this.#program = await start();
  }

  ask(request: MemberRequest): Promise<Outcome<unknown>> {
    const program = this.#program;
    if (program === null) return Promise.resolve(gone);
    const id = this.#asked++;
    return new Promise((resolve) => {
      this.#open.set(id, resolve);
      program.write(`${JSON.stringify({ id, request })}\n`);
    });
  }

  /**
   * Lines come several at a time. Behind an answer the next one waits until whoever asked has gone on, by promises alone: news of a
   * rebalance must not be recorded before a poll that ended before it.
   */
  hear(line: string): void {
    this.#lines.push(line);
    this.#drain();
  }

  #drain(): void {
    while (!this.#waits) {
      const line = this.#lines.shift();
      if (line === undefined) return;
      this.#waits = true;
      setImmediate(() => {
        this.#waits = false;
        this.#drain();
      });
      this.#read(line);
    }
  }

  #read(line: string): void {
    if (this.#disposed) return;
    const answer = JSON.parse(line) as MemberAnswer;
    if ('identity' in answer) this.#identity = answer.identity;
    if ('told' in answer) {
      this.#heard += 1;
      this.#told(answer.told);
      return;
    }
    const resolve = this.#open.get(answer.id);
    this.#open.delete(answer.id);
    resolve?.(
      'failed' in answer
        ? { type: 'info', error: { code: 'CLIENT_THREW', message: answer.failed } }
        : answer.outcome,
    );
  }

  /** Its process is gone: whatever was open may or may not have been done. */
  end(): void {
    this.#program = null;
    for (const resolve of this.#open.values()) resolve(gone);
    this.#open.clear();
  }

  subscribe(topics: readonly string[]): Promise<Outcome<null>> {
    return this.ask({ do: 'subscribe', topics }) as Promise<Outcome<null>>;
  }

  poll(): Promise<Outcome<PollResult>> {
    return this.ask({ do: 'poll', heard: this.#heard }) as Promise<Outcome<PollResult>>;
  }

  identity(): MemberIdentity {
    return this.#identity;
  }

  commit(offsets: GroupOffsets): Promise<Outcome<MemberIdentity>> {
    return this.ask({ do: 'commit', offsets }) as Promise<Outcome<MemberIdentity>>;
  }

  committed(logs: readonly LogName[]): Promise<Outcome<GroupOffsets>> {
    return this.ask({ do: 'committed', logs }) as Promise<Outcome<GroupOffsets>>;
  }

  close(): Promise<Outcome<null>> {
    return this.ask({ do: 'close' }) as Promise<Outcome<null>>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    const program = this.#program;
    this.end();
    await program?.kill();
  }
}

const gone: Outcome<never> = {
  type: 'info',
  error: { code: 'PROCESS_GONE', message: 'the process of the member has ended' },
};
