/**
 * What a Jepsen store directory says of its test besides the history: test.edn (the test map) and results.edn, where there are
 * any. Both are read for their own sake: one that cannot be read costs a warning, never the history.
 */
import { describeError } from '../../core/errors.ts';
import type { Header } from '../event.ts';
import { Problem } from '../problem.ts';
import { EdnReader, endOfText } from './reader.ts';
import { looseJsonOf } from './json.ts';
import { EdnMap, Keyword, Tagged, mapIn, type Edn } from './values.ts';

export interface JepsenTest {
  /** Whether its clients use transactions, for sends and polls too; null: it does not say. */
  readonly transactional: boolean | null;
  readonly header: Partial<Header>;
  readonly warnings: readonly string[];
}

/** @param testText content of test.edn, or null. @param resultsText of results.edn, or null. */
export function describeTest(testText: string | null, resultsText: string | null): JepsenTest {
  const warnings: string[] = [];
  const test = readMap(testText, 'test.edn', warnings);
  const results = readMap(resultsText, 'results.edn', warnings);
  const valid = results.get('valid?');
  const name = textOf(test.get('name'));
  const started = startedAt(test.get('start-time'));
  const seed = test.get('seed');
  const config = configOf(test);
  const transactional = test.get('txn?');
  const run = [name, started].filter((part) => part !== undefined).join(' ');
  return {
    transactional: typeof transactional === 'boolean' ? transactional : null,
    header: {
      ...(run === '' ? {} : { run }),
      ...(started === undefined ? {} : { started }),
      ...(typeof seed === 'number' || typeof seed === 'string' ? { seed: String(seed) } : {}),
      ...(Object.keys(config).length === 0 ? {} : { config }),
      // What Jepsen's own checker said, for whoever compares.
      ...(valid === undefined ? {} : { jepsen: { valid: looseJsonOf(valid) } }),
    },
    warnings,
  };
}

function readMap(text: string | null, file: string, warnings: string[]): EdnMap {
  const none = new EdnMap([]);
  if (text === null) return none;
  try {
    const reader = new EdnReader(text, 0, true, new Map());
    const map = reader.skip() ? mapIn(reader.read()) : null;
    if (map !== null) return map;
    warnings.push(`${file} holds no map and was left out`);
  } catch (thrown) {
    const isKnown = thrown === endOfText || thrown instanceof Problem;
    if (!isKnown) throw thrown;
    warnings.push(`${file} is no EDN and was left out: ${describeError(thrown)}`);
  }
  return none;
}

function textOf(value: Edn | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function startedAt(value: Edn | undefined): string | undefined {
  return textOf(value instanceof Tagged ? value.value : value);
}

/** Options of Jepsen's Kafka tests that permit something, under Kafka's names. */
const settings: readonly (readonly [option: string, setting: string])[] = [
  ['acks', 'acks'],
  ['idempotence', 'enable.idempotence'],
  ['isolation-level', 'isolation.level'],
  ['auto-offset-reset', 'auto.offset.reset'],
];

function configOf(test: EdnMap): Record<string, unknown> {
  const config: Record<string, unknown> = {};
  for (const [option, setting] of settings) {
    const value = test.get(option);
    if (value instanceof Keyword) config[setting] = value.name;
    else if (['string', 'boolean', 'number'].includes(typeof value)) config[setting] = value;
  }
  return config;
}
