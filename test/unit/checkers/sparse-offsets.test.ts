/** A log costs what was observed of it, not what its offsets span. */
import { describe, expect, it } from 'vitest';
import { checkHistory } from '../../../checkers/index.ts';
import { history } from '../../support/history-builder.ts';

const far = 9_007_199_254_740_000;

/** Two acknowledged records as far apart as offsets can be; the audit holds what it is told. */
const apart = (held: 'both' | 'first', config: object = {}) =>
  history(config)
    .send(0, 't/0', 'a', { at: [1, 2], ok: 0, meta: { key: 'k' } })
    .send(0, 't/0', 'b', { at: [3, 4], ok: far, meta: { key: 'k' } })
    .poll(5, { 't/0': [[0, 'a'], [far, 'b']] }, { at: [5, 6] }) // prettier-ignore
    .scan(9, 't/0', held === 'both' ? [[0, 'a'], [far, 'b']] : [[0, 'a']], { at: [7, 8], end: far + 1 }); // prettier-ignore

describe('offsets far apart', () => {
  it('are judged like others, and take no memory for what lies between', () => {
    const before = process.memoryUsage.rss();
    const { anomalies } = checkHistory(apart('first').load());
    expect(anomalies['lost-write']).toMatchObject({ outcome: 'found', count: 1, checked: 2 });
    expect(anomalies['truncated-read']).toMatchObject({ outcome: 'found', count: 1 });
    expect(checkHistory(apart('both').load()).anomalies['lost-write'].outcome).toBe('absent');
    const compacted = { topics: { t: { cleanup: 'compact' } } };
    expect(checkHistory(apart('first', compacted).load()).anomalies['compaction-resurrected-key'].outcome).toBe('found'); // prettier-ignore
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 2 ** 20);
  });
});
