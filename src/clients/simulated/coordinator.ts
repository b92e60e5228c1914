/**
 * How a modelled member speaks to the coordinator of its group: it finds it by asking the nodes in turn, keeps to it until an answer
 * says otherwise, and asks each question once.
 */
import type { Api } from '../../kafka-protocol/api.ts';
import { errorName } from '../../kafka-protocol/error-codes.ts';
import { findCoordinator } from '../../kafka-protocol/messages/find-coordinator.ts';
import type { NodeId } from '../../spi/cluster.ts';
import type { ClientProcess } from '../../spi/simulation.ts';
import type { Links } from './links.ts';
import { codeOfFailure } from './outcomes.ts';

const findTimeoutMs = 1_000;

/** Kafka's name of an error, or one of the client's own (outcomes.ts). */
export interface Refused {
  readonly type: 'refused';
  readonly code: string;
  /** False: nothing was written to any connection. */
  readonly sent: boolean;
}

export interface Answered<T> {
  readonly type: 'answered';
  readonly value: T;
}

/** Answers after which another node has to be looked for. */
const elsewhere: ReadonlySet<string> = new Set([
  'NOT_COORDINATOR',
  'COORDINATOR_NOT_AVAILABLE',
  'CONNECTION_REFUSED',
  'CONNECTION_CLOSED',
  'CLIENT_REQUEST_TIMEOUT',
  'UNREADABLE',
]);

export class Coordinator {
  readonly #links: Links;
  readonly #group: string;
  readonly #process: ClientProcess;
  #node: NodeId | null = null;
  #turn: number;

  /** @param first which of the nodes is asked first. */
  constructor(links: Links, group: string, process: ClientProcess, first: number) {
    this.#links = links;
    this.#group = group;
    this.#process = process;
    this.#turn = first;
  }

  /** @param errorOf the error code that an answer carries. */
  async ask<Request, Response>(
    api: Api<Request, Response>,
    request: Request,
    timeoutMs: number,
    errorOf: (response: Response) => number,
  ): Promise<Answered<Response> | Refused> {
    await this.#process.pass();
    this.#node ??= await this.#find();
    if (this.#node === null) {
      return { type: 'refused', code: 'COORDINATOR_NOT_AVAILABLE', sent: false };
    }
    const result = await this.#links.call(this.#node, api, request, timeoutMs);
    await this.#process.pass();
    const code =
      result.status === 'ok' ? errorName(errorOf(result.value)) : codeOfFailure(result.status);
    if (elsewhere.has(code)) this.#node = null;
    if (result.status === 'ok' && code === 'NONE') return { type: 'answered', value: result.value };
    return { type: 'refused', code, sent: result.status !== 'refused' };
  }

  async #find(): Promise<NodeId | null> {
    const { ids } = this.#links;
    for (let asked = 0; asked < ids.length; asked++) {
      const node = ids[this.#turn % ids.length] ?? -1;
      this.#turn += 1;
      const request = { key: this.#group, keyType: 0 };
      const found = await this.#links.call(node, findCoordinator, request, findTimeoutMs);
      if (found.status === 'ok' && found.value.errorCode === 0) return found.value.nodeId;
    }
    return null;
  }
}
