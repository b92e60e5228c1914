/** The published schema, and the lists that must agree with others. */
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { expect, test } from 'vitest';
import { knownClaims } from '../../../src/history/claim-names.ts';
import { historyJsonSchema } from '../../../src/history/schema.ts';
import { claimNames } from '../../../src/spi/verdict.ts';

test('the published JSON Schema is that of the sources', async () => {
  const path = fileURLToPath(new URL('../../../schemas/history-1.schema.json', import.meta.url));
  const options = await resolveConfig(path);
  const text = await format(JSON.stringify(historyJsonSchema()), { ...options, filepath: path });
  // After a change of the schema: npx vitest run test/unit/history/schema.test.ts -u
  await expect(text).toMatchFileSnapshot(path);
});

test('a header may demand just the claims that verdicts know', () => {
  expect([...knownClaims]).toEqual(claimNames);
});
