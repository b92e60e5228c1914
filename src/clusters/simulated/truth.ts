/** What the model itself knows of its logs, at any time and also when all its processes are gone. */
import type { RecordSeen } from '../../history/event.ts';
import type { NodeId } from '../../spi/cluster.ts';
import type { Acknowledged } from './broker.ts';
import { MetadataImage } from './metadata-image.ts';
import type { SimulatedNode } from './node.ts';

export interface TrueRecord {
  readonly offset: number;
  /** The bytes of the record's value, as text. */
  readonly value: string;
}

export interface GroundTruth {
  /** By `topic/partition`: what the disk of its leader holds, also above the high watermark; null while no node leads it. */
  log(name: string): readonly TrueRecord[] | null;
  /** By `topic/partition`: values, as text, that some broker has answered with success for. */
  acknowledged(name: string): ReadonlySet<string>;
}

export function createGroundTruth(nodes: ReadonlyMap<NodeId, SimulatedNode>): GroundTruth {
  return {
    log: (name) => {
      const leader = imageOf(nodes).partitions.get(name)?.leader ?? -1;
      const log = nodes.get(leader)?.disk.logs.get(name);
      if (log === undefined) return leader < 0 ? null : [];
      return log.batches
        .flatMap((batch) => batch.records ?? [])
        .map((record) => ({ offset: record.offset, value: textOf(record) }));
    },
    acknowledged: (name) => {
      const told = [...nodes.values()].flatMap(({ disk }) => disk.acknowledged.get(name) ?? []);
      return new Set(told.map(textOf));
    },
  };
}

function textOf(record: Acknowledged): string {
  const content = 'shownAt' in record ? record : record.content;
  if (content === undefined) return record.value?.toString('utf8') ?? 'null';
  const [, value] = content.shownAt(0) as RecordSeen;
  return JSON.stringify(value);
}

/** By the longest metadata log: what a majority has not got yet does no harm here. */
function imageOf(nodes: ReadonlyMap<NodeId, SimulatedNode>): MetadataImage {
  const logs = [...nodes.values()].map(({ disk }) => disk.quorum.log);
  const longest = logs.reduce((best, log) => (isNewer(log, best) ? log : best));
  const image = new MetadataImage();
  for (const { record } of longest) image.apply(record);
  return image;
}

type QuorumLog = SimulatedNode['disk']['quorum']['log'];

function isNewer(log: QuorumLog, than: QuorumLog): boolean {
  const term = log.at(-1)?.term ?? 0;
  const other = than.at(-1)?.term ?? 0;
  return term > other || (term === other && log.length > than.length);
}
