import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { failedCall, failedCode, wireOutcomes } from '../../../../src/clients/wire/outcomes.ts';

test('no code stands twice in the table', () => {
  const codes = wireOutcomes.map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
});

test('docs/wire-client.md shows the table', () => {
  const page = readFileSync(new URL('../../../../docs/wire-client.md', import.meta.url), 'utf8');
  const rows = page
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.replaceAll(/ +/g, ' '));
  expect(rows).toEqual(
    wireOutcomes.map(({ code, when, why }) => `| \`${code}\` | ${when} | ${why} |`),
  );
});

test('whatever goes wrong is fail', () => {
  expect(failedCall({ status: 'timeout', message: 'late' })).toEqual({
    type: 'fail',
    error: { code: 'REQUEST_TIMED_OUT', message: 'late' },
  });
  expect(failedCode(6, 'Fetch of orders/0 from node-1')).toEqual({
    type: 'fail',
    error: { code: 'NOT_LEADER_OR_FOLLOWER', message: 'Fetch of orders/0 from node-1: error 6' },
  });
});
