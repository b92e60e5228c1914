/** What stands around a witness, in words: one line for the raw log, one for the delivered view, one for uncertain sends. */
import type { RawBatch, Scalar } from '../history/event.ts';
import type { Surroundings, Witness } from '../spi/verdict.ts';

const producerFactor = 4_294_967_296;

export function surroundingLines({ offset, surroundings }: Witness): readonly string[] {
  if (surroundings === undefined || offset === undefined) return [];
  const { raw, delivered, uncertain } = surroundings;
  const lines: string[] = [];
  if (raw !== null) lines.push(`raw log${ofReplica(raw.replica)}: ${rawText(raw.batches, offset)}`);
  if (delivered !== null) {
    const { view, replica, records } = delivered;
    lines.push(`${view} view${ofReplica(replica)}: ${recordsText(records, offset)}`);
  }
  if (uncertain.count > 0) lines.push(uncertainText(uncertain));
  return lines;
}

function ofReplica(replica: number | null): string {
  return replica === null ? '' : ` of replica ${replica}`;
}

function rawText(batches: readonly RawBatch[], offset: number): string {
  const held = batches.some(({ base, last }) => base <= offset && offset <= last);
  const texts = batches.map((batch) => ({ at: batch.base, text: batchText(batch) }));
  return joined(held ? texts : [...texts, { at: offset, text: `[${offset}] nothing` }]);
}

function batchText(batch: RawBatch): string {
  const { base, last, producerId, epoch, sequence, control, transactional, leaderEpoch } = batch;
  const place = base === last ? `[${base}]` : `[${base} to ${last}]`;
  if (control !== null) return `${place} ${control} marker of producer ${producerId}`;
  const who =
    producerId < 0
      ? 'no producer id'
      : `producer ${producerId}, epoch ${epoch}, sequence ${sequence}`;
  return `${place} ${who}${transactional ? ', transactional' : ''}, leader epoch ${leaderEpoch}`;
}

function recordsText(records: readonly (readonly [number, Scalar])[], offset: number): string {
  const texts = records.map(([at, value]) => ({ at, text: `[${at}] ${valueText(value)}` }));
  const held = records.some(([at]) => at === offset);
  return joined(held ? texts : [...texts, { at: offset, text: `[${offset}] nothing` }]);
}

function joined(texts: readonly { readonly at: number; readonly text: string }[]): string {
  return texts
    .toSorted((a, b) => a.at - b.at)
    .map(({ text }) => text)
    .join('; ');
}

/** Built-in values as producer and sequence (p3#17), others as JSON. */
function valueText(value: Scalar): string {
  const builtIn =
    typeof value === 'number' && Number.isSafeInteger(value) && value >= producerFactor;
  return builtIn
    ? `p${Math.floor(value / producerFactor)}#${value % producerFactor}`
    : JSON.stringify(value);
}

/** A record is known by its value, and each of these has another one: none of them can be what the witness is about. */
function uncertainText({ count, operations }: Surroundings['uncertain']): string {
  const which = `${operations.length < count ? 'first ' : ''}events ${operations.join(', ')}`;
  return (
    `uncertain: ${count} ${count === 1 ? 'send' : 'sends'} to this log of which nobody learned the outcome (${which}); ` +
    'whatever became of them, they are other records and explain nothing here'
  );
}
