import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../../src/history/event.ts';
import type { ResultDocument } from '../../src/spi/verdict.ts';
import { Folder, badHistory, goodHistory, ordeal } from './command.ts';

const saved = resolve(
  import.meta.dirname,
  '../../histories/bad/duplicate/kafka-4.1.1-retries-without-idempotence.jsonl.gz',
);

function eventsOf(text: string): readonly HistoryEvent[] {
  const lines = text.trimEnd().split('\n').slice(1);
  return lines.map((line) => JSON.parse(line) as HistoryEvent);
}

describe('ordeal slice', () => {
  it('around the operations of a witness shows the same anomaly again', async () => {
    const whole = await ordeal(['check', '--json', saved]);
    const { anomalies } = JSON.parse(whole.stdout) as ResultDocument;
    const [witness] = anomalies.duplicate.witnesses;
    const around = witness!.operations.flatMap((index) => ['--around-operation', String(index)]);
    const cut = await ordeal(['slice', saved, ...around]);
    expect(cut.stderr).toMatch(/^\d+ of [\d,]+ events written to standard output\n$/);
    const origins = eventsOf(cut.stdout).map(({ origin }) => origin);
    expect(origins).toEqual(expect.arrayContaining([...witness!.operations]));
    using folder = new Folder();
    const file = folder.write('slice.jsonl', cut.stdout);
    const judged = await ordeal(['check', '--json', '--certify', file]);
    expect((JSON.parse(judged.stdout) as ResultDocument).anomalies.duplicate.outcome).toBe('found');
    expect(judged.stderr).toMatch(/witnesses proved again/);
  });

  it('around an offset holds the send and whoever saw it; several flags add up', async () => {
    const one = await ordeal(['slice', '-', '--around-offset', 'orders/0@0'], {
      input: badHistory,
    });
    // The audit tells that the record is lost, so the slice needs it.
    expect(eventsOf(one.stdout).map(({ f }) => f)).toEqual(['send', 'send', 'audit', 'audit']);
    const both = await ordeal(
      ['slice', '-', '--around-offset', 'orders/0@0', '--around-operation', '3'],
      { input: goodHistory },
    );
    expect(eventsOf(both.stdout).map(({ f }) => f)).toEqual(['send', 'send', 'audit', 'audit']);
    expect(both.stderr).toBe('4 of 4 events written to standard output\n');
  });

  it.each([
    [
      ['--from-time', '0s', '--to-time', '2us'],
      [0, 1],
    ],
    [
      ['--to-time', '1500ns'],
      [0, 1],
    ],
    [
      ['--from-time', '2500ns'],
      [0, 1, 2, 3],
    ],
    [
      ['--around-time', '1500ns', '--window', '1us'],
      [0, 1],
    ],
  ])('%j takes the events of that time, and what they need', async (flags, origins) => {
    const run = await ordeal(['slice', '-', ...flags], { input: goodHistory });
    expect(eventsOf(run.stdout).map(({ origin }) => origin)).toEqual(origins);
    expect(run.exitCode).toBe(0);
  });

  it('writes EDN and gzip by name', async () => {
    using folder = new Folder();
    const [edn, zipped] = ['s.edn', 's.jsonl.gz'].map((name) => join(folder.path, name)) as [
      string,
      string,
    ];
    const flags = ['--around-operation', '0,3'];
    await ordeal(['slice', '-', ...flags, '-o', edn], { input: badHistory });
    await ordeal(['slice', '-', ...flags, '-o', zipped], { input: badHistory });
    expect(readFileSync(edn, 'utf8')).toContain(':ordeal/origin 0');
    expect(eventsOf(gunzipSync(readFileSync(zipped)).toString())).toHaveLength(4);
    const judged = await Promise.all(
      [edn, zipped].map((file) => ordeal(['check', '--json', file])),
    );
    expect(judged[0]?.stdout).toBe(judged[1]?.stdout);
    expect(judged[0]?.exitCode).toBe(1);
  });

  it.each([
    [['--around-operation', '9'], /there is no event 9; the history has 0 to 3/],
    [['--around-offset', 'orders/0@7'], /nothing was acknowledged or seen at orders\/0@7/],
    [['--around-offset', 'order/0@0'], /nothing was .*\nnext: logs of this history are orders\/0/],
    [['--from-time', '1s'], /no event lies between 1\.000s and the end/],
  ])('%j is refused once the history is known', async (flags, says) => {
    const run = await ordeal(['slice', '-', ...flags], { input: badHistory });
    expect(run.stderr).toMatch(says);
    expect(run.stdout).toBe('');
    expect(run.exitCode).toBe(254);
  });
});
