import { describe, expect, it } from 'vitest';
import type { RawBatch } from '../../../src/history/event.ts';
import { readEvents, type RawHistory } from '../../../src/history/load-text.ts';
import { dropValues, sliceHistory } from '../../../src/history/slice.ts';
import { textOfHistory } from '../../support/correct-model.ts';
import { foundIn, judgeRaw } from '../../support/drawn-slice.ts';
import { history, type HistoryBuilder } from '../../support/history-builder.ts';

const rawOf = (builder: HistoryBuilder): RawHistory => readEvents(builder.text(), 'by-hand.jsonl');

/** The slice that holds what is labelled so; it must be a file that reads. */
function slice(
  builder: HistoryBuilder,
  labels: readonly string[],
  options: Parameters<typeof sliceHistory>[2] = {},
): RawHistory {
  const keep = new Set(labels.map((label) => builder.index(label)));
  const cut = sliceHistory(rawOf(builder), keep, options);
  return readEvents(textOfHistory(cut), 'slice.jsonl');
}

const originsOf = ({ events }: RawHistory): readonly number[] => events.map((e) => e.origin!);
const labelled = (builder: HistoryBuilder, labels: readonly string[]): readonly number[] =>
  labels.flatMap((each) => [builder.invokeIndex(each), builder.index(each)]).sort((a, b) => a - b);

/** Two logs, two writers, one reader, one audit per log. */
const run = () =>
  history({ topics: { t: { partitions: 2 }, unused: {} } })
    .assign(10, ['t/0', 't/1'], 'beginning', { as: 'assign' })
    .send(0, 't/0', 1, { ok: 0, as: 's1' })
    .send(0, 't/0', 2, { ok: 1, as: 's2' })
    .send(1, 't/1', 3, { ok: 0, as: 's3' })
    .poll(10, { 't/0': [[0, 1]] }, { as: 'p1' })
    .poll(10, {}, { as: 'empty' })
    .poll(10, { 't/0': [[1, 2]], 't/1': [[0, 3]] }, { as: 'p2' })
    .scan(
      20,
      't/0',
      [
        [0, 1],
        [1, 2],
      ],
      { chunk: 1, as: 'a0' },
    )
    .scan(21, 't/1', [[0, 3]], { as: 'a1' });

describe('sliceHistory', () => {
  it('numbers events anew and keeps their origin, also of a slice of a slice', () => {
    const builder = run();
    const once = slice(builder, ['s2', 's3']);
    expect(once.events.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(originsOf(once)).toEqual(labelled(builder, ['s2', 's3']));
    const twice = sliceHistory(once, new Set([3]));
    expect(originsOf(twice)).toEqual(labelled(builder, ['s3']));
    expect(twice.events[0]!.time).toBe(once.events[2]!.time);
  });

  it('keeps of a poll who wrote what it returned, its assignment, and earlier polls of the epoch', () => {
    const builder = run();
    const kept = ['assign', 's1', 's2', 's3', 'p1', 'p2'];
    expect(originsOf(slice(builder, ['p2']))).toEqual(labelled(builder, kept));
  });

  it('keeps all chunks of a scan, and who wrote what it holds', () => {
    const cut = slice(run(), ['a0']);
    expect(cut.events.filter(({ f, type }) => f === 'audit' && type === 'ok')).toHaveLength(2);
    expect(cut.events.filter(({ f, type }) => f === 'send' && type === 'ok')).toHaveLength(2);
  });

  it('restricts polls, assignments and audits to some logs', () => {
    const builder = run();
    const cut = slice(builder, ['assign', 'p2', 'a0', 'a1'], { logs: new Set(['t/1']) });
    expect(originsOf(cut)).toEqual(labelled(builder, ['assign', 's3', 'p2', 'a1']));
    expect(cut.events[1]!.value).toEqual({ logs: ['t/1'], from: 'beginning' });
    expect(cut.events[5]!.value).toEqual([['poll', { 't/1': [[0, 3]] }]]);
  });

  it('keeps of the header the topics that occur', () => {
    expect(slice(run(), ['s1']).header.topics).toEqual({ t: { partitions: 2 } });
  });

  it('leaves all but its own records out if asked to', () => {
    const builder = run();
    const cut = slice(builder, ['s1', 'a0'], { only: [] });
    expect(cut.events.filter(({ f }) => f === 'send')).toHaveLength(2);
    expect(cut.events.at(-1)!.value).toMatchObject({ next: 2, records: [] });
  });

  it('keeps an assignment to no log that is left, for it ended an epoch', () => {
    const builder = history()
      .send(0, 't/0', 1, { ok: 0 })
      .send(0, 't/0', 2, { ok: 1 })
      .send(0, 'u/0', 3, { ok: 0 })
      .assign(10, ['t/0'], 'beginning')
      .poll(10, { 't/0': [[0, 1]] }, { as: 'first' })
      .assign(10, ['u/0'], 'beginning')
      .poll(10, { 'u/0': [[0, 3]] })
      .poll(10, { 't/0': [[1, 2]] }, { as: 'last' });
    const cut = slice(builder, ['first', 'last'], { logs: new Set(['t/0']) });
    const assigned = cut.events.filter(({ f, type }) => f === 'assign' && type === 'ok');
    expect(assigned.map(({ value }) => value)).toMatchObject([{ logs: ['t/0'] }, { logs: [] }]);
  });

  it('keeps transactions with their init, attempts and groups, and subscribers with their rebalances', () => {
    const offsets = ['offsets', 'g', { 'in/0': 1 }];
    const builder = history({ topics: { in: {}, out: {} } })
      .op(0, 'init', { id: 'x' }, { completed: { id: 'x', producerId: 7, epoch: 0 }, as: 'init' })
      .op(1, 'subscribe', { group: 'g', topics: ['in'] }, { as: 'subscribe' })
      .event('rebalance', { generation: 1, member: 'm', assigned: ['in/0'] }, { process: 1 })
      .send(2, 'in/0', 1, { ok: 0, as: 'input' })
      .send(2, 'in/0', 2, { ok: 1, as: 'another' })
      .op(0, 'txn', [['poll']], {
        at: [50, 60],
        completed: [['poll', { 'in/0': [[0, 1]] }], ['send', 'out/0', [0, 10]], offsets],
        txn: { id: 'x', producerId: 7, epoch: 0 },
        as: 'txn',
      })
      .attempt(0, [['send', 'out/0', 10], offsets, ['commit']], { at: 55 })
      .op(1, 'commit', { group: 'g', offsets: { 'in/0': 1 } }, { at: [70, 71], as: 'commit' })
      .op(
        3,
        'committed',
        { group: 'g', logs: ['in/0'] },
        {
          at: [80, 81],
          completed: { group: 'g', offsets: { 'in/0': 1 } },
          as: 'committed',
        },
      );
    const cut = slice(builder, ['txn']);
    const dropped = labelled(builder, ['another']);
    const all = rawOf(builder).events.map(({ index }) => index);
    expect(originsOf(cut)).toEqual(all.filter((index) => !dropped.includes(index)));
    // Nothing of the group is left where its input is not.
    const output = slice(builder, ['txn'], { logs: new Set(['out/0']) });
    expect(output.events.map(({ f, type }) => `${f} ${type}`)).toEqual([
      'init invoke',
      'init ok',
      'txn invoke',
      'attempt event',
      'txn ok',
    ]);
    expect(output.events.at(-1)!.value).toEqual([
      ['poll', {}],
      ['send', 'out/0', [0, 10]],
    ]);
  });

  it('keeps a fault with its heal, and every later one', () => {
    const builder = history({ recoveryMs: 100 })
      .fault('kill', 'f1', { as: 'kill' })
      .heal('kill', 'f1', { as: 'heal' })
      .fault('pause', 'f2', { as: 'pause' })
      .heal('pause', 'f2', { as: 'end' });
    expect(originsOf(slice(builder, ['heal']))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(originsOf(slice(builder, ['pause']))).toEqual([4, 5, 6, 7]);
  });

  it('promises no recovery where what shows it is left out', () => {
    const builder = history({ recoveryMs: 10 })
      .fault('kill', 'f1', { at: [1, 2], as: 'kill' })
      .heal('kill', 'f1', { at: [3, 4] })
      .send(0, 't/0', 1, { at: [5, 6], info: true, as: 'lost' })
      .send(1, 't/0', 2, { at: [7, 8], ok: 0, as: 'acknowledged' })
      .scan(2, 't/0', [[0, 2]], { at: [30, 40], as: 'audit' });
    expect(slice(builder, ['kill', 'lost', 'audit']).header.recoveryMs).toBe(10);
    const less = slice(builder, ['kill', 'lost', 'audit'], { drop: [{ log: 't/0', value: 2 }] });
    expect(less.header.recoveryMs).toBeUndefined();
    expect(foundIn(judgeRaw(less))).toEqual([]);
  });

  it('promises no transform where its input is not whole', () => {
    const transforms = [{ group: 'g', input: 't', output: 'u', owes: 'one-to-one' as const }];
    const builder = history({ transforms })
      .send(0, 't/0', 1, { ok: 0, as: 's1' })
      .send(0, 't/0', 2, { ok: 1, as: 's2' });
    expect(slice(builder, ['s1', 's2']).header.transforms).toEqual(transforms);
    expect(slice(builder, ['s1']).header.transforms).toEqual([]);
  });

  it('keeps with acks=1 the send that shows that a measured end proves nothing', () => {
    const builder = history({ config: { acks: '1', 'replica.lag.time.max.ms': 10 } })
      .send(0, 't/0', 1, { at: [1, 2], ok: 0, as: 'early' })
      .send(1, 't/0', 2, { at: [90, 95], ok: 1, as: 'late' })
      .scan(2, 't/0', [], { at: [96, 99], end: 0, as: 'audit' });
    const cut = slice(builder, ['early', 'audit'], { only: [] });
    expect(originsOf(cut)).toEqual(labelled(builder, ['early', 'late', 'audit']));
    expect(foundIn(judgeRaw(cut))).toEqual([]);
  });

  it('keeps the audit that met the highest start: what retention removed was not skipped', () => {
    const builder = history()
      .send(0, 't/0', 1, { ok: 0 })
      .send(0, 't/0', 2, { ok: 5 })
      .assign(10, ['t/0'], 'beginning')
      .poll(10, { 't/0': [[5, 2]] }, { as: 'poll' })
      .scan(2, 't/0', [[5, 2]], { start: 5, as: 'audit' });
    expect(originsOf(slice(builder, ['poll']))).toEqual(expect.arrayContaining([8, 9]));
  });
});

describe('dropValues', () => {
  it('leaves records out with their sends and wherever they were seen', () => {
    const cut = dropValues(rawOf(run()), [{ log: 't/0', value: 1 }]);
    expect(textOfHistory(cut)).not.toMatch(/\[0,1\]|"t\/0",1\]/);
    expect(foundIn(judgeRaw(cut))).toEqual([]);
    expect(cut.events.filter(({ f, type }) => f === 'send' && type === 'ok')).toHaveLength(2);
  });

  it('leaves one record of a send out, and keeps the others', () => {
    const builder = history().op(
      0,
      'send',
      [
        ['send', 't', 1],
        ['send', 't/0', 2],
      ],
      {
        completed: [
          ['send', 't/1', [0, 1]],
          ['send', 't/0', [0, 2]],
        ],
      },
    );
    const cut = dropValues(rawOf(builder), [{ log: 't/1', value: 1 }]);
    expect(cut.events.map(({ value }) => value)).toEqual([
      [['send', 't/0', 2]],
      [['send', 't/0', [0, 2]]],
    ]);
  });

  it('takes what stands at the same offset along: one shows the loss of the other', () => {
    const builder = history()
      .send(0, 't/0', 1, { ok: 0 })
      .send(0, 't/0', 2, { ok: 0 })
      .send(0, 't/0', 3, { ok: 1 });
    const cut = dropValues(rawOf(builder), [{ log: 't/0', value: 1 }]);
    expect(cut.events.map(({ value }) => value)).toEqual([
      [['send', 't/0', 3]],
      [['send', 't/0', [1, 3]]],
    ]);
  });

  it('takes raw batches along with the last of their records, and markers with those of their producer', () => {
    const batch = (base: number, last: number, producerId: number): RawBatch => ({
      base,
      last,
      leaderEpoch: 0,
      producerId,
      epoch: 0,
      sequence: 0,
      transactional: false,
      control: null,
    });
    const builder = history()
      .send(0, 't/0', 1, { ok: 0 })
      .send(0, 't/0', 2, { ok: 1 })
      .send(0, 't/0', 3, { ok: 2 })
      .rawScan(1, 't/0', [
        batch(0, 0, 7),
        batch(1, 2, 8),
        { ...batch(3, 3, 7), control: 'commit' },
        { ...batch(4, 4, 8), control: 'abort' },
      ]);
    const cut = dropValues(
      rawOf(builder),
      [1, 2].map((value) => ({ log: 't/0', value })),
    );
    expect(cut.events.at(-1)!.value).toMatchObject({ batches: [{ base: 1 }, { base: 4 }] });
  });
});
