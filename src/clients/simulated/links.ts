/** One client's links to all nodes: made when first used, closed for good together. */
import type { Api } from '../../kafka-protocol/api.ts';
import type { CallResult } from '../../kafka-protocol/connection.ts';
import type { BrokerLink } from '../../kafka-protocol/link.ts';
import type { NodeId, NodeInfo } from '../../spi/cluster.ts';

export interface Links {
  readonly ids: readonly NodeId[];
  call<Request, Response>(
    node: NodeId,
    api: Api<Request, Response>,
    request: Request,
    timeoutMs: number,
  ): Promise<CallResult<Response>>;
  /** Ends every connection; later calls are refused. */
  close(): Promise<void>;
}

export function createLinks(
  nodes: readonly NodeInfo[],
  open: (node: NodeInfo) => BrokerLink,
): Links {
  const known = new Map(nodes.map((node) => [node.id, node]));
  const links = new Map<NodeId, BrokerLink>();
  let closed = false;
  return {
    ids: nodes.map(({ id }) => id),
    call: (node, api, request, timeoutMs) => {
      const info = known.get(node);
      if (closed || info === undefined) {
        const message = closed ? 'this client is closed' : `node-${node} is not known`;
        return Promise.resolve({ status: 'refused', message });
      }
      let link = links.get(node);
      if (link === undefined) {
        link = open(info);
        links.set(node, link);
      }
      return link.call(api, request, timeoutMs);
    },
    close: async () => {
      closed = true;
      await Promise.all([...links.values()].map((link) => link[Symbol.asyncDispose]()));
    },
  };
}
