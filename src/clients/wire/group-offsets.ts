/** Reads the offsets of a consumer group: from its coordinator alone, which some node has to name first. */
import type { LogName } from '../../history/event.ts';
import { logName, parseLogName } from '../../history/log-name.ts';
import { findCoordinator } from '../../kafka-protocol/messages/find-coordinator.ts';
import { noCommittedOffset, offsetFetch } from '../../kafka-protocol/messages/offset-fetch.ts';
import type { GroupOffsets, Outcome } from '../../spi/client.ts';
import type { Nodes } from './nodes.ts';
import { failedCall, failedCode, notReady, type Fail } from './outcomes.ts';
import type { WireSettings } from './settings.ts';

export async function readGroupOffsets(
  nodes: Nodes,
  settings: WireSettings,
  group: string,
  logs: readonly LogName[],
): Promise<Outcome<GroupOffsets>> {
  const found = await findGroupCoordinator(nodes, settings, group);
  if (found.type === 'fail') return found;
  const request = { groupId: group, topics: byTopic(logs) };
  const called = await nodes.call(found.node, offsetFetch, request, settings.requestTimeoutMs);
  if (called.status !== 'ok') return failedCall(called);
  const what = `OffsetFetch of group ${group} to node-${found.node}`;
  if (called.value.errorCode !== 0) return failedCode(called.value.errorCode, what);
  const offsets: Record<LogName, number> = {};
  for (const { name, partitions } of called.value.topics) {
    for (const { partition, offset, errorCode } of partitions) {
      if (errorCode !== 0) return failedCode(errorCode, what);
      if (offset !== noCommittedOffset) offsets[logName(name, partition)] = offset;
    }
  }
  return { type: 'ok', value: offsets };
}

/** Asks the nodes one after the other: one that is down or cut off cannot say. */
async function findGroupCoordinator(
  nodes: Nodes,
  settings: WireSettings,
  group: string,
): Promise<{ readonly type: 'ok'; readonly node: number } | Fail> {
  let last: Fail = notReady('there is no node to ask');
  for (const node of nodes.ids) {
    const request = { key: group, keyType: 0 };
    const called = await nodes.call(node, findCoordinator, request, settings.requestTimeoutMs);
    if (called.status !== 'ok') last = failedCall(called);
    else if (called.value.errorCode !== 0) {
      last = failedCode(called.value.errorCode, `FindCoordinator of ${group} to node-${node}`);
    } else return { type: 'ok', node: called.value.nodeId };
  }
  return last;
}

function byTopic(logs: readonly LogName[]): { name: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>();
  for (const log of logs) {
    const name = parseLogName(log);
    if (name === null || name.partition === null) throw new Error(`"${log}" is no log`);
    const partitions = topics.get(name.topic);
    if (partitions === undefined) topics.set(name.topic, [name.partition]);
    else partitions.push(name.partition);
  }
  return [...topics].map(([name, partitions]) => ({ name, partitions }));
}
