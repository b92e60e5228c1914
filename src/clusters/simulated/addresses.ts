/** Addresses of simulated nodes: nothing listens there; they name nodes in metadata and messages. */
import type { NodeId } from '../../spi/cluster.ts';

export function addressOf(node: NodeId): { readonly host: string; readonly port: number } {
  return { host: `node-${node}.simulated`, port: 9092 };
}
