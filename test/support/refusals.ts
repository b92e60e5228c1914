/** Raw lines of histories, and what the reader says of them: for tests of the reading rules. */
import { describe, expect, test } from 'vitest';
import { OrdealError } from '../../src/core/errors.ts';
import { loadHistoryText } from '../../src/history/load-text.ts';

export const header = '{"ordeal":1}';

/** Events with index and time filled in; the rest of each as given, from `process` on. */
export function lines(...events: readonly string[]): string {
  return [header, ...events.map((rest, i) => `{"index":${i},"time":${i * 10},${rest}}`)]
    .map((line) => `${line}\n`)
    .join('');
}

export function refusal(text: string | Uint8Array): string {
  try {
    loadHistoryText(text, 'history.jsonl');
  } catch (error) {
    if (!(error instanceof OrdealError)) throw error;
    expect(error.code).toBe('BAD_HISTORY');
    expect(error.exitCode).toBe(254);
    expect(error.next).not.toBe('');
    return error.message;
  }
  return 'accepted';
}

export interface Case {
  readonly name: string;
  readonly text: string;
  /** The whole message, or 'accepted'. */
  readonly says: string;
}

export function cases(title: string, table: readonly Case[]): void {
  describe(title, () => {
    test.each(table)('$name', ({ text, says }) => {
      expect(refusal(text)).toBe(says);
    });
  });
}

export const invoke = '"process":0,"type":"invoke","f":"send","value":[["send","t/0",17]]';
export const ok = '"process":0,"type":"ok","f":"send","value":[["send","t/0",[41,17]]]';
export const info = '"process":0,"type":"info","f":"send","value":[["send","t/0",17]]';
export const pollInvoke = '"process":1,"type":"invoke","f":"poll","value":[["poll"]]';
export const send = (process: number, log: string, value: string): string =>
  `"process":${process},"type":"invoke","f":"send","value":[["send","${log}",${value}]]`;
export const done = (process: number, log: string, sent: string, type = 'ok'): string =>
  `"process":${process},"type":"${type}","f":"send","value":[["send","${log}",${sent}]]`;
export const attempt = (process: number | string, micros: string): string =>
  `"process":${JSON.stringify(process)},"type":"event","f":"attempt","value":${micros}`;
