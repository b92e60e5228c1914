/** The nodes as the wire client reaches them: one link each, addressed by node number and never by a guess. */
import type { Clock } from '../../core/clock.ts';
import { OrdealError } from '../../core/errors.ts';
import type { Api } from '../../kafka-protocol/api.ts';
import type { CallResult } from '../../kafka-protocol/connection.ts';
import { type BrokerLink, createLink } from '../../kafka-protocol/link.ts';
import type { NodeId, NodeInfo } from '../../spi/cluster.ts';
import type { WireSettings } from './settings.ts';

/** What every part of the wire client is made from. */
export interface WireOptions {
  readonly nodes: readonly NodeInfo[];
  readonly clock: Clock;
  /** How a node is reached; absent: over TCP. */
  readonly link?: (node: NodeInfo, clientId: string) => BrokerLink;
  /** Bounds that differ from `wireDefaults`. */
  readonly settings?: Partial<WireSettings>;
}

export interface Nodes extends AsyncDisposable {
  /** In rising order. */
  readonly ids: readonly NodeId[];
  /** One request to one node; a node that nobody knows is `refused`. */
  call<Request, Response>(
    node: NodeId,
    api: Api<Request, Response>,
    request: Request,
    timeoutMs: number,
  ): Promise<CallResult<Response>>;
}

/** Links to all nodes, none of them connected yet. @param clientId names this client in the brokers' logs. */
export function createNodes(options: WireOptions, settings: WireSettings, clientId: string): Nodes {
  const links = new Map<NodeId, BrokerLink>();
  const link =
    options.link ??
    ((node: NodeInfo): BrokerLink =>
      createLink({
        ...parseAddress(node.clientAddress),
        clientId,
        clock: options.clock,
        connectTimeoutMs: settings.connectTimeoutMs,
        responseBytesMax: settings.responseBytesMax,
      }));
  for (const node of options.nodes) links.set(node.id, link(node, clientId));
  const ids = [...links.keys()].sort((a, b) => a - b);
  return {
    ids,
    call: (node, api, request, timeoutMs) => {
      const link = links.get(node);
      if (link === undefined) {
        const message = `node-${node} is none of ${ids.join(', ')}`;
        return Promise.resolve({ status: 'refused', message });
      }
      return link.call(api, request, timeoutMs);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...links.values()].map((link) => link[Symbol.asyncDispose]()));
    },
  };
}

function parseAddress(address: string): { readonly host: string; readonly port: number } {
  const match = /^\[?([^\]]+)\]?:(\d{1,5})$/.exec(address);
  const port = Number(match?.[2]);
  if (match?.[1] === undefined || port < 1 || port > 65_535) {
    throw new OrdealError(
      'BAD_ARGUMENT',
      `"${address}" is not the address of a broker`,
      'write host:port, for example 172.30.0.2:9092',
    );
  }
  return { host: match[1], port };
}
