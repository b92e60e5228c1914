/** What a claim must name rightly: the operations, and whatever else of the witness its certifier goes by. */
import { describe, expect, it } from 'vitest';
import { certifyWitness } from '../../../../checkers/certify/index.ts';
import { checkHistory } from '../../../../checkers/index.ts';
import { loadHistoryText, readEvents } from '../../../../src/history/load-text.ts';
import type { AnomalyName, Witness } from '../../../../src/spi/verdict.ts';
import { corpusRoots, readBytes, savedHistories } from '../../../corpus/corpus.ts';
import { claims } from '../../../support/claims.ts';
import { history, type HistoryBuilder, type ScanRow } from '../../../support/history-builder.ts';

type Field = 'log' | 'offset' | 'value';

const others = { log: 'elsewhere/9', offset: 12_345, value: 'no such value' } as const;

/** The fields by which each certifier goes; the others it proves from the operations alone. */
const goesBy: Partial<Record<AnomalyName, readonly Field[]>> = {
  'aborted-read': ['log', 'offset', 'value'],
  'corrupt-record': ['log', 'offset', 'value'],
  duplicate: ['value'],
  'future-read': ['log', 'offset', 'value'],
  'inconsistent-offsets': ['log', 'offset'],
  'int-nonmonotonic-poll': ['log'],
  'int-nonmonotonic-send': ['log'],
  'int-poll-skip': ['log', 'offset'],
  'lost-write': ['value'],
  'nonmonotonic-poll': ['log'],
  'nonmonotonic-send': ['log'],
  phantom: ['log', 'offset', 'value'],
  'poll-skip': ['log', 'offset'],
  'real-time-inversion': ['log'],
  'scan-divergence': ['log', 'offset'],
  'truncated-read': ['offset', 'value'],
};

const smallest = corpusRoots
  .flatMap(savedHistories)
  .filter(({ name }) => name.endsWith('/smallest'))
  .map(({ file, anomaly }) => ({ anomaly: anomaly!, file, bytes: readBytes(file) }));

describe.each(smallest)('a claim of $anomaly', ({ anomaly, file, bytes }) => {
  const { header, events } = readEvents(bytes, file);
  const judge = () => checkHistory(loadHistoryText(bytes, file)).anomalies[anomaly].witnesses[0]!;

  it('holds by its operations alone, and says how', () => {
    const { operations } = judge();
    const bare: Witness = { operations, layer: 'unknown', explanation: '' };
    expect(certifyWitness(header, events, anomaly, bare)).toEqual({
      holds: true,
      reason: 'proved again from the events',
    });
  });

  it('does not hold of another log, offset or value, and says why', () => {
    for (const field of goesBy[anomaly] ?? []) {
      const claim = { ...judge(), [field]: others[field] };
      const certificate = certifyWitness(header, events, anomaly, claim);
      expect([field, certificate.holds]).toEqual([field, false]);
      expect(certificate.reason).not.toBe('proved again from the events');
    }
  });
});

describe('claims of lost writes', () => {
  const sent = () => history().send(0, 't/0', 10, { at: [1, 2], ok: 1, as: 'send' });

  it('need a scan that speaks of the offset, or measured an end below it', () => {
    const scanned = (row: object) =>
      sent().scan(9, 't/0', [], { at: [5, 6], end: 3, as: 'scan', ...row });
    expect(claims(scanned({}), 'lost-write', 'send scan')).toBe(true);
    expect(claims(scanned({}), 'lost-write', 'send')).toBe(false);
    expect(claims(scanned({ start: 2 }), 'lost-write', 'send scan')).toBe(false);
    expect(claims(scanned({ upTo: 1 }), 'lost-write', 'send scan')).toBe(false);
    expect(claims(scanned({ end: 1 }), 'lost-write', 'send scan')).toBe(true);
    expect(claims(scanned({ end: 1, linearizable: false }), 'lost-write', 'send scan')).toBe(false);
    expect(claims(scanned({ lastStable: 1 }), 'lost-write', 'send scan')).toBe(false);
  });

  it('may go by a reader that went past it, unless a complete scan decides', () => {
    const read = (logs: string) =>
      sent()
        .assign(5, [logs], 'beginning', { at: [3, 4] })
        .poll(5, { 't/0': [[0, 8], [2, 9]] }, { at: [5, 6], as: 'poll' }); // prettier-ignore
    expect(claims(read('t/0'), 'lost-write', 'send poll')).toBe(true);
    expect(claims(read('t/0'), 'lost-write', 'send')).toBe(false);
    const seen = read('t/0').poll(6, { 't/0': [[1, 10]] }, { at: [7, 8] });
    expect(claims(seen, 'lost-write', 'send poll')).toBe(false);
    const held = read('t/0').scan(9, 't/0', [[2, 9]], { at: [7, 8], end: 3 });
    expect(claims(held, 'lost-write', 'send poll')).toBe(false);
    const rawly = read('t/0').rawScan(9, 't/0', [], { at: [7, 8], end: 3 });
    expect(claims(rawly, 'lost-write', 'send poll')).toBe(true);
    const before = read('t/0').scan(9, 't/0', [], { at: [0.5, 0.9], end: 3 });
    expect(claims(before, 'lost-write', 'send poll')).toBe(true);
    const short = read('t/0').scan(9, 't/0', [], { at: [7, 8], end: 1 });
    expect(claims(short, 'lost-write', 'send poll')).toBe(true);
  });

  it('do not go by a reader past an uncertain send, or one without an offset', () => {
    const reader = (h: HistoryBuilder) =>
      h
        .assign(5, ['t/0'], 'beginning', { at: [3, 4] })
        .poll(5, { 't/0': [[2, 9]] }, { at: [5, 6], as: 'poll' });
    const without = history().send(0, 't/0', 10, { at: [1, 2], ok: null, as: 'send' });
    expect(claims(reader(without), 'lost-write', 'send poll')).toBe(false);
    const uncertain = history().send(0, 't/0', 10, {
      at: [1, 2],
      info: true,
      offset: 1,
      as: 'send',
    });
    expect(claims(reader(uncertain), 'lost-write', 'send poll')).toBe(false);
    const unplaced = history().send(0, 't', 10, { at: [1, 2], ok: null, as: 'send' });
    expect(claims(reader(unplaced), 'lost-write', 'send poll')).toBe(false);
  });
});

describe('claims that name too little', () => {
  it('do not hold of a send that they do not name, nor of one without a place', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
      .send(0, 't/0', 11, { at: [3, 4], ok: 1, as: 'kept' })
      .scan(9, 't/0', [[1, 11]], { at: [5, 6], as: 'scan' });
    expect(claims(h, 'lost-write', 'kept scan')).toBe(false);
    expect(claims(h, 'lost-write', 'scan')).toBe(false);
    const unplaced = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: null, as: 'send' })
      .scan(9, 't/0', [], { at: [5, 6], upTo: 1, end: 3, as: 'scan' });
    expect(claims(unplaced, 'lost-write', 'send scan')).toBe(false);
  });

  it('do not hold of a skipped record whose transaction is open', () => {
    const skipped = (f: 'send' | 'txn') => {
      const uncertain = { at: [1, 2], info: true } as const;
      const h =
        f === 'send'
          ? history().send(0, 't/0', 10, uncertain)
          : history().op(0, 'txn', [['send', 't/0', 10]], uncertain);
      return h
        .scan(8, 't/0', [[1, 10]], { at: [3, 4], view: 'uncommitted', as: 'sight' })
        .assign(5, ['t/0'], { 't/0': 1 }, { at: [3, 4] })
        .poll(5, { 't/0': [[2, 11]] }, { at: [5, 6], as: 'poll' });
    };
    expect(claims(skipped('send'), 'poll-skip', 'sight poll')).toBe(true);
    expect(claims(skipped('txn'), 'poll-skip', 'sight poll')).toBe(false);
  });
});

describe('claims of not-recovered', () => {
  const silent = (header: object = { recoveryMs: 100 }, untilMs = 120) =>
    history(header)
      .fault('kill', 'f1', { at: [1, 2] })
      .heal('kill', 'f1', { at: [3, 4] })
      .send(0, 't/0', 10, { at: [5, 6], fail: true, as: 'send' })
      .event('phase', { phase: 'drain' }, { at: untilMs });

  it('hold where every fault was healed and what was tried failed for recoveryMs', () => {
    expect(claims(silent(), 'not-recovered', 'send')).toBe(true);
    expect(claims(silent({}), 'not-recovered', 'send')).toBe(false);
    expect(claims(silent({ recoveryMs: 100 }, 104), 'not-recovered', 'send')).toBe(true);
    expect(claims(silent({ recoveryMs: 100 }, 103), 'not-recovered', 'send')).toBe(false);
    expect(claims(silent({ recoveryMs: 1 }), 'not-recovered', 'send')).toBe(true);
  });

  it('do not hold while a fault stands, nor of a heal that is not proved', () => {
    const standing = silent().fault('kill', 'f2', { at: [7, 8] });
    expect(claims(standing, 'not-recovered', 'send')).toBe(false);
    for (const heal of [{ tookEffect: false }, { fail: true }, { info: true }] as const) {
      const doubtful = history({ recoveryMs: 10 })
        .fault('kill', 'f1', { at: [1, 2] })
        .heal('kill', 'f1', { at: [3, 4], ...heal })
        .send(0, 't/0', 10, { at: [5, 6], fail: true, as: 'send' })
        .event('phase', { phase: 'drain' }, { at: 120 });
      expect([heal, claims(doubtful, 'not-recovered', 'send')]).toEqual([heal, false]);
    }
  });

  it('do not hold once something was acknowledged in that time, before or after the one named', () => {
    const later = silent().send(1, 't/0', 11, { at: [20, 21], ok: 0 });
    expect(claims(later, 'not-recovered', 'send')).toBe(false);
    const late = silent().send(1, 't/0', 11, { at: [105, 106], ok: 0 });
    expect(claims(late, 'not-recovered', 'send')).toBe(true);
    const atTheLimit = silent().send(1, 't/0', 11, { at: [104, 105], ok: 0 });
    expect(claims(atTheLimit, 'not-recovered', 'send')).toBe(false);
    const elsewhere = silent().send(1, 't/1', 11, { at: [20, 21], ok: 0 });
    expect(claims(elsewhere, 'not-recovered', 'send')).toBe(true);
  });
});

describe('claims that nothing acknowledged was read', () => {
  const tried = (then: (h: HistoryBuilder) => HistoryBuilder) =>
    then(
      history({ recoveryMs: 100 })
        .fault('kill', 'f1', { at: [1, 2] })
        .heal('kill', 'f1', { at: [3, 4] })
        .send(0, 't/0', 10, { at: [5, 6], ok: 0, as: 'send' })
        .assign(5, ['t/0'], 'beginning', { at: [7, 8] }),
    ).event('phase', { phase: 'drain' }, { at: 200 });
  const poll = (at: readonly [number, number]) => ({ at, as: 'poll' }) as const;

  it('hold where readers went on for recoveryMs after the acknowledgement', () => {
    const late = tried((h) => h.poll(5, {}, poll([106, 107])));
    expect(claims(late, 'not-recovered', 'send poll')).toBe(true);
    const early = tried((h) => h.poll(5, {}, poll([105, 107])));
    expect(claims(early, 'not-recovered', 'send poll')).toBe(false);
  });

  it('do not hold of what a committed reader returned; an uncommitted one is none', () => {
    const read = tried((h) =>
      h.poll(6, { 't/0': [[0, 10]] }, { at: [9, 10] }).poll(5, {}, poll([106, 107])),
    );
    expect(claims(read, 'not-recovered', 'send poll')).toBe(false);
    const scan = (view: 'committed' | 'uncommitted') =>
      tried((h) => h.scan(9, 't/0', [[0, 10]], { at: [106, 107], view, as: 'scan' }));
    expect(claims(scan('uncommitted'), 'not-recovered', 'send scan')).toBe(true);
    expect(claims(scan('committed'), 'not-recovered', 'send scan')).toBe(false);
  });
});

describe('claims of key-moved', () => {
  const k = { meta: { key: 'k' } };
  const moved = (ms: number) =>
    history()
      .event('partitions', { topic: 't', count: 4 }, { at: ms })
      .send(0, 't', 'a', { at: [1, 2], ok: 0, to: 't/0', ...k, as: 'a' })
      .send(1, 't', 'b', { at: [5, 6], ok: 0, to: 't/1', ...k, as: 'b' });

  it('hold between two changes of the number of partitions, whichever send is named first', () => {
    for (const ms of [0.5, 7]) {
      expect(claims(moved(ms), 'key-moved', 'a b')).toBe(true);
      expect(claims(moved(ms), 'key-moved', 'b a')).toBe(true);
    }
    for (const ms of [1.5, 3, 5.5]) expect(claims(moved(ms), 'key-moved', 'a b')).toBe(false);
    expect(claims(moved(7), 'key-moved', 'a')).toBe(false);
  });

  it('do not hold of two keys, nor of two topics', () => {
    const second = (topic: string, key: string) =>
      history()
        .send(0, 't', 'a', { at: [1, 2], ok: 0, to: 't/0', ...k, as: 'a' })
        .send(1, topic, 'b', { at: [5, 6], ok: 0, to: `${topic}/1`, meta: { key }, as: 'b' });
    expect(claims(second('t', 'k'), 'key-moved', 'a b')).toBe(true);
    expect(claims(second('t', 'l'), 'key-moved', 'a b')).toBe(false);
    expect(claims(second('u', 'k'), 'key-moved', 'a b')).toBe(false);
  });
});

describe('claims of duplicates', () => {
  it('need two places that stand together', () => {
    const twice = (second: readonly [string, number]) =>
      history()
        .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
        .poll(5, { 't/0': [[0, 10]] }, { at: [3, 4], as: 'a' })
        .poll(6, { [second[0]]: [[second[1], 10]] }, { at: [5, 6], as: 'b' });
    expect(claims(twice(['t/0', 1]), 'duplicate', 'a b')).toBe(true);
    expect(claims(twice(['t/0', 0]), 'duplicate', 'a b')).toBe(false);
    expect(claims(twice(['t/1', 0]), 'duplicate', 'a b')).toBe(false);
    const gone = twice(['t/0', 1]).scan(9, 't/0', [[0, 10]], { at: [7, 8], end: 2 });
    expect(claims(gone, 'duplicate', 'a b')).toBe(false);
    // The sight of the other place lies before this scan; that of the place which it lacks does not.
    const during = twice(['t/0', 1]).scan(9, 't/0', [[0, 10]], { at: [4.5, 8], end: 2 });
    expect(claims(during, 'duplicate', 'a b')).toBe(true);
    const first = twice(['t/0', 1]).scan(9, 't/0', [[1, 10]], { at: [7, 8], end: 2 });
    expect(claims(first, 'duplicate', 'a b')).toBe(false);
  });
});

describe('a claim of lost-write, where one offset holds two values', () => {
  it('is refused of either', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0, as: 'send' })
      .send(1, 't/0', 11, { at: [3, 4], ok: 0, as: 'other' })
      .scan(9, 't/0', [[0, 10], [0, 11]], { at: [5, 6], as: 'scan' }); // prettier-ignore
    expect(claims(h, 'lost-write', 'send scan')).toBe(false);
    expect(claims(h, 'lost-write', 'other scan')).toBe(false);
  });
});

describe('a claim about a reader that also writes', () => {
  it('holds across the attempts of its transaction, which change no assignment', () => {
    const h = history()
      .send(1, 't/0', 10, { at: [1, 2], ok: 0 })
      .send(1, 't/0', 11, { at: [3, 4], ok: 1 })
      .assign(5, ['t/0'], 'beginning', { at: [5, 6] })
      .op(5, 'txn', [['poll']], {
        at: [7, 10],
        completed: [
          [
            'poll',
            {
              't/0': [
                [0, 10],
                [1, 11],
              ],
            },
          ],
          ['send', 'u/0', [0, 12]],
        ],
        as: 'first',
      }) // prettier-ignore
      .attempt(5, [['send', 'u/0', 12]], { at: 8 })
      .poll(5, { 't/0': [[0, 10]] }, { at: [11, 12], as: 'second' });
    expect(claims(h, 'nonmonotonic-poll', 'first second')).toBe(true);
  });
});

describe('a claim about the one place where a record was seen', () => {
  it('holds of an answer without an offset, unless it was seen at another place as well', () => {
    const sent = () =>
      history()
        .send(0, 't/0', 10, { at: [1, 2], ok: null, as: 'first' })
        .send(1, 't/0', 11, { at: [3, 4], ok: 3, as: 'later' })
        .poll(5, { 't/0': [[5, 10]] }, { at: [5, 6] });
    expect(claims(sent(), 'real-time-inversion', 'first later')).toBe(true);
    const twice = sent().poll(6, { 't/0': [[7, 10]] }, { at: [7, 8] });
    expect(claims(twice, 'real-time-inversion', 'first later')).toBe(false);
  });
});

describe('a claim about a reader whose group rebalanced', () => {
  it('is refused across a rebalance of its own, and holds across that of another', () => {
    const h = (process: number) =>
      history()
        .send(0, 't/0', 10, { at: [1, 2], ok: 0 })
        .send(0, 't/0', 11, { at: [3, 4], ok: 1 })
        .poll(5, { 't/0': [[1, 11]] }, { at: [10, 11], as: 'high' })
        .poll(5, { 't/0': [[0, 10]] }, { at: [12, 14], as: 'low' })
        .event('rebalance', { assigned: ['t/0'] }, { at: 13, process });
    expect(claims(h(5), 'nonmonotonic-poll', 'high low')).toBe(false);
    expect(claims(h(6), 'nonmonotonic-poll', 'high low')).toBe(true);
  });
});

describe('a claim about what a sight proves', () => {
  it('holds though a scan before it was without it: only an answer is contradicted by that', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], info: true, as: 'seen' })
      .scan(9, 't/0', [], { at: [3, 4], start: 5, end: 6, as: 'scan' })
      .poll(5, { 't/0': [[5, 10]] }, { at: [10, 11], as: 'poll' })
      .send(1, 't/0', 11, { at: [20, 21], ok: 3, as: 'later' });
    expect(claims(h, 'real-time-inversion', 'seen poll later')).toBe(true);
  });
});

describe('a claim about an answer in a compacted log', () => {
  it('is refused where a scan holds another record at that offset, not where it holds none', () => {
    const h = (held: 'other' | 'nothing') =>
      history({ topics: { t: { partitions: 1, cleanup: 'compact' } } })
        .send(0, 't/0', 10, { at: [1, 2], ok: 5, as: 'first' })
        .send(1, 't/0', 11, { at: [10, 11], ok: 3, as: 'later' })
        .send(1, 't/0', 12, { at: [12, 13], info: true })
        .scan(9, 't/0', held === 'other' ? [[3, 11], [5, 12]] : [[3, 11]], { at: [20, 21], end: 6 }); // prettier-ignore
    expect(claims(h('nothing'), 'real-time-inversion', 'first later')).toBe(true);
    expect(claims(h('other'), 'real-time-inversion', 'first later')).toBe(false);
  });

  it('is refused where one record stood there before', () => {
    const h = (offset: number) =>
      history({ topics: { t: { partitions: 1, cleanup: 'compact' } } })
        .send(2, 't/0', 12, { at: [1, 2], info: true })
        .scan(9, 't/0', [[offset, 12]], { at: [3, 4], end: 6, linearizable: false })
        .send(0, 't/0', 10, { at: [10, 11], ok: 5, as: 'first' })
        .send(1, 't/0', 11, { at: [20, 21], ok: 3, as: 'later' });
    expect(claims(h(4), 'real-time-inversion', 'first later')).toBe(true);
    expect(claims(h(5), 'real-time-inversion', 'first later')).toBe(false);
  });
});

describe('a claim of lost-write about a partition that nobody told', () => {
  const claimed = (partitions: number | null, row: ScanRow & { holds?: number } = {}) =>
    claims(
      history(partitions === null ? {} : { topics: { t: { partitions } } })
        .send(0, 't', 10, { at: [1, 2], ok: null, to: 't', as: 'send' })
        .scan(9, 't/0', row.holds === undefined ? [] : [[0, row.holds]], { at: [5, 6], end: 2, as: 'scan', ...row }), // prettier-ignore
      'lost-write',
      'send scan',
    );

  it('holds by a complete scan from 0 of each partition that the header knows', () => {
    expect(claimed(1)).toBe(true);
    expect(claimed(2)).toBe(false);
    expect(claimed(null)).toBe(false);
  });

  it('is refused by a scan that is not complete, not from 0, too early, or holds it', () => {
    expect(claimed(1, { upTo: 1 })).toBe(false);
    expect(claimed(1, { start: 1 })).toBe(false);
    expect(claimed(1, { at: [0.5, 0.9] })).toBe(false);
    expect(claimed(1, { holds: 10 })).toBe(false);
    expect(claimed(1, { holds: 11 })).toBe(true);
  });
});

describe('a claim about scans', () => {
  it('holds of the second scan under one id', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 0, as: 'send' })
      .scan(9, 't/0', [[0, 10]], { at: [3, 4], scan: 'a' })
      .scan(9, 't/0', [], { at: [5, 6], end: 1, scan: 'a', as: 'scan' });
    expect(claims(h, 'lost-write', 'send scan')).toBe(true);
  });

  it('is refused beyond a hole in them', () => {
    const h = (from: number) =>
      history()
        .send(0, 't/0', 11, { at: [1, 2], ok: 4, as: 'send' })
        .scan(9, 't/0', [], { at: [3, 4], end: 5, upTo: 1, scan: 'a' })
        .scan(9, 't/0', [], { at: [5, 6], from, end: 5, scan: 'a', as: 'scan' });
    expect(claims(h(1), 'lost-write', 'send scan')).toBe(true);
    expect(claims(h(3), 'lost-write', 'send scan')).toBe(false);
  });
});

describe('a claim about order', () => {
  it('is refused across a poll that failed', () => {
    const h = (row: object) =>
      history()
        .assign(5, ['t/0'], 'beginning', { at: [1, 2] })
        .poll(
          5,
          {
            't/0': [
              [0, 'a'],
              [1, 'b'],
            ],
          },
          { at: [3, 4], as: 'first' },
        ) // prettier-ignore
        .poll(5, {}, { at: [5, 6], ...row })
        .poll(5, { 't/0': [[0, 'a']] }, { at: [7, 8], as: 'second' });
    expect(claims(h({}), 'nonmonotonic-poll', 'first second')).toBe(true);
    expect(claims(h({ fail: true }), 'nonmonotonic-poll', 'first second')).toBe(false);
  });

  it('is refused of an uncertain send that nobody saw, wherever its answer placed it', () => {
    const h = history()
      .send(0, 't/0', 10, { at: [1, 2], ok: 5, as: 'first' })
      .send(0, 't/0', 11, { at: [3, 4], info: true, offset: 3, as: 'later' });
    expect(claims(h, 'nonmonotonic-send', 'first later')).toBe(false);
    const seen = h.poll(5, { 't/0': [[3, 11]] }, { at: [5, 6] });
    expect(claims(seen, 'nonmonotonic-send', 'first later')).toBe(true);
  });
});
