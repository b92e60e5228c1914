/**
 * Faults of implementation that the simulated brokers and controllers can be given. Each one is an `if` at the place where
 * its real twin was wrong; docs/defects.md is generated from this table.
 */
import type { AnomalyName } from '../../spi/verdict.ts';
import type { Defect } from '../../spi/simulation.ts';

/** What any loss of acknowledged records brings with it: the offset is given out again, and readers had seen it. */
const afterLoss: readonly AnomalyName[] = [
  'lost-write',
  'truncated-read',
  'inconsistent-offsets',
  'real-time-inversion',
];

interface Row {
  readonly name: string;
  readonly summary: string;
  readonly twin: string | null;
  readonly primary: AnomalyName;
  readonly consequences?: readonly AnomalyName[];
  readonly needs?: Defect['needs'];
}

function defect({ consequences = [], needs = {}, primary, ...row }: Row): Defect {
  const others = [...new Set(consequences)].filter((anomaly) => anomaly !== primary);
  return { layer: 'broker', primary, consequences: others, needs, ...row };
}

/** What shows in how a group reads needs members, and something that makes them rebalance. */
const groups = { workload: 'groups', nemeses: ['freeze-member'] } as const;

const compacted = { workload: 'compaction' } as const;

export const brokerDefects: readonly Defect[] = [
  defect({
    name: 'ack-before-replication',
    summary: 'A leader answers acks=all as soon as it has appended itself.',
    twin: 'acks=1, by mistake or by default',
    primary: 'lost-write',
    consequences: afterLoss,
    needs: { nemeses: ['kill', 'partition'], acks: 'all' },
  }),
  defect({
    name: 'stale-leader-acknowledges',
    summary: 'A leader that the controllers are out of reach of goes on acknowledging alone.',
    twin: 'a leader without a lease',
    primary: 'lost-write',
    consequences: afterLoss,
    needs: { nemeses: ['partition'], acks: 'all' },
  }),
  defect({
    name: 'silent-followers-ignored',
    summary: 'The high watermark passes followers in sync that have been silent for a second.',
    twin: null,
    primary: 'lost-write',
    consequences: afterLoss,
    needs: { nemeses: ['partition'], acks: 'all' },
  }),
  defect({
    name: 'watermark-by-majority',
    summary:
      'The high watermark is what a majority holds, while any replica in sync may be elected.',
    twin: 'a quorum protocol with the elections of another',
    primary: 'lost-write',
    consequences: afterLoss,
    needs: { nemeses: ['kill', 'pause'], acks: 'all' },
  }),
  defect({
    name: 'election-ignores-in-sync',
    summary: 'The controller elects the last live replica, in sync or not.',
    twin: 'unclean.leader.election.enable=true, the default before Kafka 0.11',
    primary: 'lost-write',
    consequences: afterLoss,
    needs: { nemeses: ['kill', 'partition', 'pause'], acks: 'all' },
  }),
  defect({
    name: 'restart-keeps-in-sync',
    summary:
      'A broker that comes back stays in the in-sync sets, though a power loss took the end of its logs.',
    twin: 'Kafka before KIP-966',
    primary: 'lost-write',
    consequences: [...afterLoss, 'scan-divergence'],
    needs: { nemeses: ['power-loss'], acks: 'all' },
  }),
  defect({
    name: 'truncate-to-watermark',
    summary: 'A replica that changes its role cuts its log to its own high watermark, which lags.',
    twin: 'Kafka before 0.11, KIP-101',
    primary: 'lost-write',
    consequences: [...afterLoss, 'scan-divergence', 'not-recovered'],
    needs: { nemeses: ['kill', 'pause'], acks: 'all' },
  }),
  defect({
    name: 'no-truncation',
    summary: 'A follower keeps the end of its log that its new leader never had.',
    twin: 'Kafka before 2.0, KIP-279',
    primary: 'scan-divergence',
    consequences: [...afterLoss, 'duplicate'],
    needs: { nemeses: ['kill', 'partition'], acks: 'all' },
  }),
  defect({
    name: 'offset-reuse',
    summary: 'A new leader takes its next offset from a checkpoint that is one batch old.',
    twin: 'Kafka 3.9.0, KAFKA-17076',
    primary: 'inconsistent-offsets',
    consequences: [...afterLoss, 'scan-divergence'],
    needs: { nemeses: ['kill', 'pause'] },
  }),
  defect({
    name: 'serve-beyond-watermark',
    summary: 'A leader shows its readers what is not yet on all replicas in sync.',
    twin: 'Kafka 2.4, KAFKA-9807 and KAFKA-9835',
    primary: 'truncated-read',
    consequences: ['lost-write', 'inconsistent-offsets', 'real-time-inversion'],
    needs: { nemeses: ['partition', 'pause'] },
  }),
  defect({
    name: 'forget-producers-on-election',
    summary: 'A new leader knows no producers: what a retry repeats is appended again.',
    twin: 'a producer state that is not rebuilt from the log',
    primary: 'duplicate',
    needs: { nemeses: ['kill', 'partition'], idempotent: true, requestTimeoutMs: 1_000 },
  }),
  defect({
    name: 'no-sequence-check',
    summary: 'A leader appends whatever comes, whether it has that sequence already or not.',
    twin: 'enable.idempotence=false',
    primary: 'duplicate',
    needs: { nemeses: ['pause'], idempotent: true, requestTimeoutMs: 500 },
  }),
  defect({
    name: 'producer-id-reused',
    summary: 'The controller hands out the same block of producer ids to every broker.',
    twin: 'a counter that is not committed before it is used',
    primary: 'lost-write',
    consequences: ['inconsistent-offsets', 'nonmonotonic-send', 'not-recovered'],
    needs: { idempotent: true },
  }),
  defect({
    name: 'partial-batch',
    summary: 'The last record of a batch of several is acknowledged and not appended.',
    twin: 'a request that is cut at a buffer',
    primary: 'lost-write',
    consequences: ['inconsistent-offsets', 'nonmonotonic-send'],
    needs: { sends: { recordsPerSendMax: 4 } },
  }),
  defect({
    name: 'batch-reversed',
    summary:
      'The records of a batch are appended last first, under offsets that fit what was sent.',
    twin: null,
    primary: 'inconsistent-offsets',
    consequences: ['int-nonmonotonic-send', 'key-reordered', 'nonmonotonic-send'],
    needs: { sends: { recordsPerSendMax: 4 } },
  }),
  defect({
    name: 'refused-after-append',
    summary: 'NOT_ENOUGH_REPLICAS, which means before the append, is answered after it.',
    twin: 'two error codes mixed up (19 and 20)',
    primary: 'aborted-read',
    needs: { nemeses: ['partition'], acks: 'all', retriesMax: 0 },
  }),
  defect({
    name: 'fetch-skips-batch',
    summary: 'For three seconds after an election a leader leaves out the first batch of a fetch.',
    twin: 'confluent-kafka-javascript issue 517, on the side of the broker',
    primary: 'poll-skip',
    consequences: ['lost-write', 'truncated-read', 'scan-divergence'],
    needs: { nemeses: ['kill', 'pause'] },
  }),
  defect({
    name: 'frozen-end',
    summary: 'A leader that was frozen goes on telling the end that its logs had then.',
    twin: 'a frozen view served as healthy',
    primary: 'lost-write',
    consequences: ['truncated-read', 'real-time-inversion'],
    needs: { nemeses: ['pause'] },
  }),
  defect({
    name: 'stuck-without-leader',
    summary: 'A partition whose leader was fenced is forgotten and never gets another.',
    twin: 'a controller that drops a change under way',
    primary: 'not-recovered',
    needs: { nemeses: ['kill', 'pause'] },
  }),
  defect({
    name: 'cleaner-drops-last',
    summary: 'The cleaner takes the newest record of a key for superseded too.',
    twin: null,
    primary: 'compaction-lost-key',
    consequences: ['scan-divergence'],
    needs: compacted,
  }),
  defect({
    name: 'tombstones-before-values',
    summary:
      'The cleaner removes a tombstone in the pass that meets it, and leaves what it deleted.',
    twin: null,
    primary: 'compaction-resurrected-key',
    consequences: ['compaction-lost-key', 'scan-divergence'],
    needs: compacted,
  }),
  defect({
    name: 'cleaner-of-one-node',
    summary: 'The cleaner of one node takes the newest record of a key for superseded too.',
    twin: 'Kafka 3.9 to 4.3: replicas compact alone, and nothing compares them (compaction-race)',
    primary: 'scan-divergence',
    consequences: ['compaction-lost-key', 'compaction-resurrected-key'],
    needs: compacted,
  }),
  defect({
    name: 'zombies-served',
    summary: 'The coordinator takes heartbeats and commits of members that it has given up.',
    twin: 'a group without generations, as before Kafka 0.9',
    primary: 'stale-commit',
    consequences: ['commit-regression', 'group-skip'],
    needs: { ...groups, nemeses: ['freeze-member'] },
  }),
  defect({
    name: 'commit-before-replication',
    summary: 'The coordinator acknowledges a commit that only its own disk has.',
    twin: 'offsets.commit.required.acks=1',
    primary: 'commit-regression',
    needs: { ...groups, nemeses: ['kill', 'partition'] },
  }),
  defect({
    name: 'offsets-forgotten',
    summary: 'A coordinator that takes over reads the members of a group, and not its offsets.',
    twin: 'a load that fails half-way and counts as done',
    primary: 'commit-regression',
    needs: { ...groups, nemeses: ['kill', 'pause'] },
  }),
  defect({
    name: 'offsets-load-short',
    summary: 'A coordinator that takes over reads offsets up to its last checkpoint only.',
    twin: 'a load that stops at a high watermark that lags',
    primary: 'commit-regression',
    needs: { ...groups, nemeses: ['kill', 'pause'] },
  }),
  defect({
    name: 'offsets-expire',
    summary: 'Offsets expire seconds after their commit, though the group is alive.',
    twin: 'Kafka before 2.1, KIP-211: offsets.retention.minutes counted from the commit',
    primary: 'commit-regression',
    needs: { ...groups, nemeses: ['freeze-member', 'kill'] },
  }),
  defect({
    name: 'two-owners',
    summary: 'In every other generation the second member is told what the first one was given.',
    twin: null,
    primary: 'double-ownership',
    consequences: ['commit-regression', 'group-skip', 'key-processed-out-of-order'],
    needs: groups,
  }),
  defect({
    name: 'generation-stays',
    summary: 'A rebalance gives out new assignments under the old generation.',
    twin: 'a generation that is not on the log when the coordinator changes',
    primary: 'double-ownership',
    consequences: ['commit-regression', 'group-skip', 'key-processed-out-of-order'],
    needs: groups,
  }),
];
