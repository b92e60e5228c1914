/**
 * Good histories as a Jepsen test would have recorded them: without audits, sessions and whatever else EDN has no word for.
 * With less known, less is proved, and still nothing is found.
 */
import { describe, expect, test } from 'vitest';
import { checkHistory } from '../../../../checkers/index.ts';
import { ednLines } from '../../../../src/history/edn/export.ts';
import { FormSplitter } from '../../../../src/history/edn/forms.ts';
import { EdnHistoryReader } from '../../../../src/history/edn/import.ts';
import { printEdn } from '../../../../src/history/edn/print.ts';
import { EdnMap, Keyword } from '../../../../src/history/edn/values.ts';
import { readEvents } from '../../../../src/history/load-text.ts';
import { corpusRoots, goldenRoot, readBytes, savedHistories } from '../../../corpus/corpus.ts';
import { foundIn } from '../../../support/drawn-slice.ts';

const saved = [...corpusRoots, goldenRoot].flatMap(savedHistories);

/** The history without all that stands under keys of ours. */
function asJepsen(file: string): string {
  const { header, events } = readEvents(readBytes(file), file);
  const lines: string[] = [];
  const splitter = new FormSplitter({
    form: (form) => {
      const entries = (form as EdnMap).entries.filter(
        ([key]) => !(key instanceof Keyword && key.name.startsWith('ordeal/')),
      );
      lines.push(printEdn(new EdnMap(entries)));
    },
    cut: () => undefined,
  });
  for (const line of ednLines(header, events)) splitter.push(new TextEncoder().encode(line));
  splitter.end();
  return lines.join('\n');
}

function judge(text: string) {
  const reader = new EdnHistoryReader('history.edn');
  reader.push(new TextEncoder().encode(text));
  return checkHistory(reader.finish());
}

describe.each(saved.filter(({ name }) => name.startsWith('good/')))('$name', ({ file }) => {
  test('shows nothing', () => {
    const result = judge(asJepsen(file));
    expect(foundIn(result)).toEqual([]);
    expect(result.coverage.sends.acknowledged).toBeGreaterThan(0);
  });
});

/** Of this one all skips are at the start of assignments that name an offset, which Jepsen's do not. */
const startsUnknown = 'bad/poll-skip/reader-skips-1';
const skips = saved.filter(({ anomaly }) => anomaly === 'poll-skip');

describe.each(skips)('$name', ({ name, file }) => {
  test(name === startsUnknown ? 'shows nothing' : 'is found without audits too', () => {
    const found = foundIn(judge(asJepsen(file)));
    if (name === startsUnknown) expect(found).toEqual([]);
    else expect(found).toContain('poll-skip');
  });
});
