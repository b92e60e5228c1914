/**
 * Random tiny histories of a compacted topic alone. Half of them keep to one log, whose records stand at places of their own and
 * have keys, and to whole scans of one view: then nearly every draw asks a question about compaction.
 */
import fc from 'fast-check';
import type { Model } from './oracle-model.ts';
import { rawHistory, type RawHistory, type RawScan } from './random-history-draws.ts';
import { buildModel, textOf } from './random-history.ts';

export const randomCompacted: fc.Arbitrary<Model> = fc
  .oneof(rawHistory, rawHistory.map(dense))
  .map((raw) => buildModel({ ...raw, topic: 'compact' }))
  .map((model) => Object.assign(model, { [fc.toStringMethod]: () => `\n${textOf(model)}` }));

function dense(raw: RawHistory): RawHistory {
  let place = 0;
  return {
    ...raw,
    sends: raw.sends.map((send) => ({
      ...send,
      records: send.records.map((record) => ({
        ...record,
        log: 0,
        place: place++,
        shift: 0,
        key: record.key ?? 'a',
        hash: null,
      })),
    })),
    scans: raw.scans.map((scan) => whole(scan, raw.scans[0]!.view)),
    deleteRetentionMs: raw.deleteRetentionMs ?? 2,
  };
}

function whole(scan: RawScan, view: RawScan['view']): RawScan {
  const { start, from, seen } = scan;
  return {
    ...scan,
    log: 0,
    view,
    from: Math.min(from, start),
    stable: null,
    short: 0,
    seen: { ...seen, odd: null },
  };
}
