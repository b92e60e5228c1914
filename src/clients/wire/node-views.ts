/** One node's picture of the cluster: its Metadata, and whom the controllers' quorum has as leader. */
import type { Clock } from '../../core/clock.ts';
import { nsPerMs } from '../../core/units.ts';
import type { CallResult } from '../../kafka-protocol/connection.ts';
import {
  clusterMetadataTopic,
  describeQuorum,
} from '../../kafka-protocol/messages/describe-quorum.ts';
import type { MetadataResponse } from '../../kafka-protocol/messages/metadata.ts';
import type { NodeId, NodeView, PartitionView } from '../../spi/cluster.ts';
import type { Nodes } from './nodes.ts';
import { askMetadata } from './requests.ts';

/**
 * Asks one node for its picture of all topics, internal ones too, at most `timeoutMs` in all. The broker passes the
 * question about the quorum on to the active controller, so a node that is cut off from it has a picture without
 * controller. Metadata is asked first, because a broker answers in order and knows it by itself.
 */
export async function nodeView(
  nodes: Nodes,
  clock: Clock,
  node: NodeId,
  timeoutMs: number,
): Promise<NodeView> {
  const startNs = clock.nowNs();
  const picture = await partitionsView(nodes, node, null, timeoutMs);
  if (picture.partitions === null) return picture;
  const leftMs = Math.max(1, timeoutMs - Math.ceil((clock.nowNs() - startNs) / nsPerMs));
  return { ...picture, controller: await controllerOf(nodes, node, leftMs) };
}

/**
 * The same without the controller: one request, which the node answers from what it has.
 * @param topics null: all topics, internal ones too.
 */
export async function partitionsView(
  nodes: Nodes,
  node: NodeId,
  topics: readonly string[] | null,
  timeoutMs: number,
): Promise<NodeView> {
  const result = await askMetadata(nodes, node, topics, timeoutMs);
  if (result.status !== 'ok') return silentView(node, result);
  return {
    node,
    partitions: partitionsOf(result.value),
    liveNodes: result.value.brokers.map(({ nodeId }) => nodeId).sort((a, b) => a - b),
    controller: null,
    error: null,
  };
}

function silentView(node: NodeId, failure: Exclude<CallResult<never>, { status: 'ok' }>): NodeView {
  const error = `${failure.status}: ${failure.message}`;
  return { node, partitions: null, liveNodes: [], controller: null, error };
}

function partitionsOf(response: MetadataResponse): PartitionView[] {
  return response.topics.flatMap((topic) =>
    topic.partitions.map(({ partition, leader, leaderEpoch, replicas, inSync }) => ({
      topic: topic.name,
      partition,
      leader,
      leaderEpoch,
      replicas,
      inSync,
    })),
  );
}

async function controllerOf(
  nodes: Nodes,
  node: NodeId,
  timeoutMs: number,
): Promise<NodeView['controller']> {
  const request = { topics: [{ name: clusterMetadataTopic, partitions: [{ partition: 0 }] }] };
  const result = await nodes.call(node, describeQuorum, request, timeoutMs);
  if (result.status !== 'ok' || result.value.errorCode !== 0) return null;
  const quorum = result.value.topics[0]?.partitions[0];
  if (quorum === undefined || quorum.errorCode !== 0 || quorum.leader < 0) return null;
  return { node: quorum.leader, epoch: quorum.leaderEpoch };
}
