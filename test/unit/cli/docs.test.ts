/** Tables in docs/ say what the code says. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { checkers } from '../../../checkers/index.ts';
import { defectsText } from '../../../scripts/defects-text.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { createSession } from '../../../src/cli/session.ts';
import { errorCodes, exitCodes } from '../../../src/core/errors.ts';
import { claims } from '../../../src/spi/verdict.ts';

/** Cells of the table rows below `heading` (or of the whole page), up to the next heading. */
function rowsOf(page: string, heading: string | null): string[][] {
  const text = readFileSync(resolve(import.meta.dirname, '../../../docs', page), 'utf8');
  const lines = text.split('\n');
  const from = heading === null ? 0 : lines.indexOf(heading) + 1;
  expect(heading !== null && from === 0, `${page} has no ${heading ?? ''}`).toBe(false);
  const length = lines.slice(from).findIndex((line) => line.startsWith('#') && heading !== null);
  const section = length === -1 ? lines.slice(from) : lines.slice(from, from + length);
  return section
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
    .slice(2);
}

describe('docs/cli.md', () => {
  const output = new PassThrough();
  const program = createProgram(createSession(output, output, {}), { code: 0 }, '0.0.0');

  it.each(program.commands.map((command) => [command.name(), command] as const))(
    'has every flag of %s',
    (name, command) => {
      expect(rowsOf('cli.md', `## ordeal ${name}`)).toEqual(
        command.options.map(({ flags, description }) => [`\`${flags}\``, description]),
      );
    },
  );
});

describe('docs/defects.md', () => {
  it('is what scripts/defects-page.ts prints, but for the widths of its columns', () => {
    const plain = (text: string): string => text.replace(/ +/g, ' ').replace(/-{3,}/g, '---');
    const page = readFileSync(resolve(import.meta.dirname, '../../../docs/defects.md'), 'utf8');
    expect(plain(page)).toBe(plain(defectsText()));
  });
});

describe('docs/errors.md', () => {
  it('has every exit code', () => {
    const documented = rowsOf('errors.md', '## Exit codes').map(([code]) => Number(code));
    expect([...documented].sort((a, b) => a - b)).toEqual(
      Object.values(exitCodes).sort((a, b) => a - b),
    );
  });

  it('has every error code with its exit code and meaning', () => {
    expect(rowsOf('errors.md', '## Error codes')).toEqual(
      Object.entries(errorCodes).map(([code, { exit, meaning }]) => [
        `\`${code}\``,
        String(exit),
        meaning,
      ]),
    );
  });
});

describe('docs/anomalies.md', () => {
  it('has every anomaly under its claim, and says whether its checker is built', () => {
    const notBuilt = new Set<string>(
      checkers.filter(({ name }) => name === 'not-built').flatMap(({ anomalies }) => anomalies),
    );
    const documented = rowsOf('anomalies.md', null);
    expect(documented.map(([claim, anomaly, checker]) => [claim, anomaly, checker])).toEqual(
      Object.entries(claims).flatMap(([claim, anomalies]) =>
        anomalies.map((anomaly) => [
          claim,
          `\`${anomaly}\``,
          notBuilt.has(anomaly) ? 'not built' : 'built',
        ]),
      ),
    );
    for (const [, anomaly, , meaning] of documented) expect(meaning, anomaly).not.toBe('');
  });
});
