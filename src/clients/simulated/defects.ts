/**
 * What the modelled clients can do wrong: the registry of client defects. Each is one `if` at the place where the real
 * client was wrong (KAFKA.md part 1): the producer's in `delivery.ts`, the reader's in `faulty-reader.ts`, the member's in `member.ts`.
 */
import type { Defect } from '../../spi/simulation.ts';

const producerDefects = [
  {
    name: 'partial-acknowledgement',
    layer: 'client',
    summary:
      'Keeps acknowledgements by broker across the retries of a call: a batch whose leader moved to a broker that has acknowledged another batch of the call counts as acknowledged and is not sent again.',
    twin: 'kafkajs 2.2.4, issue 1303',
    primary: 'lost-write',
    consequences: [],
    needs: { nemeses: ['kill'], sends: { recordsPerSendMax: 4 } },
  },
  {
    name: 'sequence-reuse',
    layer: 'client',
    summary:
      'After a send that was given up rolls its sequence back under the same producer id, so that the broker takes the next record for the one before.',
    twin: 'kafkajs 2.2.4',
    primary: 'lost-write',
    consequences: ['inconsistent-offsets', 'not-recovered'],
    needs: {
      nemeses: ['pause'],
      sends: { afterFailure: 'continue' },
      idempotent: true,
      acks: 'all',
      requestTimeoutMs: 1_000,
      retriesMax: 1,
    },
  },
  {
    name: 'concurrent-sends',
    layer: 'client',
    summary:
      'Sends to one partition run side by side, and a failed attempt takes its sequences back by subtraction, whoever has taken others meanwhile.',
    twin: 'kafkajs 2.2.4, issue 598',
    primary: 'lost-write',
    consequences: [
      'inconsistent-offsets',
      'duplicate',
      'nonmonotonic-send',
      'key-reordered',
      'not-recovered',
    ],
    needs: {
      nemeses: ['pause'],
      sends: { sharedBy: 3, afterFailure: 'continue' },
      idempotent: true,
      acks: 'all',
      requestTimeoutMs: 1_000,
    },
  },
  {
    name: 'keyless-retry',
    layer: 'client',
    summary:
      'Chooses the partition of a keyless record again on every retry, so that one record may land in two partitions.',
    twin: 'kafkajs 2.2.4',
    primary: 'duplicate',
    consequences: [
      'lost-write',
      'inconsistent-offsets',
      'nonmonotonic-send',
      'int-nonmonotonic-send',
    ],
    needs: {
      nemeses: ['pause'],
      sends: { partition: 'client' },
      idempotent: true,
      requestTimeoutMs: 1_000,
    },
  },
  {
    name: 'unordered-retries',
    layer: 'client',
    summary:
      'Sends to one partition run side by side, and each retries with a back-off of its own.',
    twin: 'kafkajs 2.2.4 without idempotence',
    primary: 'nonmonotonic-send',
    consequences: ['duplicate', 'key-reordered'],
    needs: { nemeses: ['kill'], sends: { sharedBy: 4 }, idempotent: false },
  },
  {
    name: 'success-on-timeout',
    layer: 'client',
    summary: 'Takes a request that was not answered in time for acknowledged.',
    twin: null,
    primary: 'lost-write',
    consequences: ['real-time-inversion', 'nonmonotonic-send', 'key-reordered'],
    needs: { nemeses: ['pause'], requestTimeoutMs: 1_000 },
  },
  {
    name: 'new-producer-id-on-retry',
    layer: 'client',
    summary:
      'Takes a new producer id before it sends an uncertain batch again, so that the broker cannot recognise it.',
    twin: 'librdkafka, issue 4953',
    primary: 'duplicate',
    consequences: [],
    needs: { nemeses: ['pause'], idempotent: true, requestTimeoutMs: 1_000 },
  },
  {
    name: 'buffer-reuse',
    layer: 'client',
    summary:
      'After a timeout the buffer of a batch is used for another one before the retry, which carries a record of another log.',
    twin: "Kafka's Java producer from 2.8.0 on, KAFKA-19012",
    primary: 'phantom',
    consequences: [
      'lost-write',
      'inconsistent-offsets',
      'duplicate',
      'key-moved',
      'nonmonotonic-send',
    ],
    needs: { nemeses: ['pause'], requestTimeoutMs: 1_000 },
  },
  {
    name: 'key-swap',
    layer: 'client',
    summary:
      'Exchanges the keys of two neighbours of a batch, on a retry and in one batch of fifty.',
    twin: null,
    primary: 'corrupt-record',
    consequences: [],
    needs: { sends: { recordsPerSendMax: 4 } },
  },
  {
    name: 'batch-last-first',
    layer: 'client',
    summary: 'Fills its batches last record first, and gives each record the offset that it has.',
    twin: null,
    primary: 'int-nonmonotonic-send',
    consequences: ['nonmonotonic-send', 'key-reordered'],
    needs: { sends: { recordsPerSendMax: 4 } },
  },
] as const satisfies readonly Defect[];

const readerDefects = [
  {
    name: 'reader-skips',
    layer: 'client',
    summary: 'After a failed poll the next assignment begins up to three records too far on.',
    twin: 'confluent-kafka-javascript, issue 517',
    primary: 'poll-skip',
    consequences: [],
    needs: { nemeses: ['kill'] },
  },
  {
    name: 'reader-rewinds',
    layer: 'client',
    summary: 'A poll hands out the last records of the poll before once more.',
    twin: null,
    primary: 'nonmonotonic-poll',
    consequences: [],
    needs: {},
  },
  {
    name: 'reader-drops',
    layer: 'client',
    summary: 'A record in the middle of a poll is dropped.',
    twin: null,
    primary: 'int-poll-skip',
    consequences: ['poll-skip'],
    needs: {},
  },
  {
    name: 'poll-phantom',
    layer: 'client',
    summary: 'A poll hands out a value that nobody sent in the place of a record.',
    twin: null,
    primary: 'phantom',
    consequences: ['inconsistent-offsets', 'truncated-read'],
    needs: {},
  },
] as const satisfies readonly Defect[];

/** Members of a group that are frozen, or whose coordinator is hurt, rebalance often: there it shows where each begins. */
const groups = { workload: 'groups', nemeses: ['freeze-member', 'kill'] } as const;

const memberDefects = [
  {
    name: 'commits-ahead',
    layer: 'client',
    summary:
      'A commit covers what was fetched ahead, before the application has it: whoever takes over never reads that.',
    twin: 'automatic commits of what was fetched (enable.auto.commit) by clients that prefetch',
    primary: 'group-skip',
    consequences: ['key-processed-out-of-order', 'not-recovered'],
    needs: groups,
  },
  {
    name: 'keeps-position',
    layer: 'client',
    summary:
      'A member that is given a log again goes on from where it was, whatever the group committed meanwhile.',
    twin: 'kafkajs 2.2.4: members of one Kafka object share what they know of committed offsets',
    primary: 'group-skip',
    consequences: ['commit-regression'],
    needs: groups,
  },
  {
    name: 'begins-one-late',
    layer: 'client',
    summary: 'After a rebalance a member begins one behind the committed offset.',
    twin: 'clients that commit the last offset in place of the next, and correct it twice',
    primary: 'group-skip',
    consequences: [],
    needs: groups,
  },
] as const satisfies readonly Defect[];

export const clientDefects: readonly Defect[] = [
  ...producerDefects,
  ...readerDefects,
  ...memberDefects,
];

export type ProducerDefect = (typeof producerDefects)[number]['name'];
export type MemberDefect = (typeof memberDefects)[number]['name'];
export type ReaderDefect = (typeof readerDefects)[number]['name'];
