/**
 * Producer ids and sequences. A sequence belongs to one batch for ever: once a batch has failed, nobody knows whether its
 * sequence is used, so the whole identity is spoiled and the next batch takes a new one, with sequences from 0 again.
 * Batches that are under way keep the identity with which they were first sent.
 */
import type { LogName } from '../../history/event.ts';
import { initProducerId } from '../../kafka-protocol/messages/init-producer-id.ts';
import type { Links } from './links.ts';
import { questionTimeoutMs } from './metadata.ts';

export interface Identity {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** By log: the sequence of the next new batch; absent is 0. */
  readonly next: Map<LogName, number>;
  /** True: no new batch may use it. */
  spoiled: boolean;
}

/** The place of one batch in its producer's sequence. */
export interface Stamp {
  readonly identity: Identity;
  readonly sequence: number;
}

export interface Identities {
  /** Null: a new one is needed first. */
  current(): Identity | null;
  /** Asks one node after the other until one gives an id, each at most once. Joins a question that is under way. */
  renew(): Promise<void>;
}

/** @param first which of the nodes is asked first. */
export function createIdentities(links: Links, first: number): Identities {
  let identity: Identity | null = null;
  let turn = first;
  let underWay: Promise<void> | null = null;
  const request = { transactionalId: null, transactionTimeoutMs: 60_000 };
  const ask = async (): Promise<void> => {
    for (let asked = 0; asked < links.ids.length; asked++) {
      const node = links.ids[turn % links.ids.length] ?? -1;
      const result = await links.call(node, initProducerId, request, questionTimeoutMs);
      if (result.status === 'ok' && result.value.errorCode === 0) {
        const { producerId, producerEpoch } = result.value;
        identity = { producerId, producerEpoch, next: new Map(), spoiled: false };
        break;
      }
      turn += 1;
    }
    underWay = null;
  };
  return {
    current: () => (identity === null || identity.spoiled ? null : identity),
    renew: () => (underWay ??= ask()),
  };
}

/** Takes the next `count` sequences of a log. */
export function takeStamp(identity: Identity, log: LogName, count: number): Stamp {
  const sequence = identity.next.get(log) ?? 0;
  identity.next.set(log, sequence + count);
  return { identity, sequence };
}
