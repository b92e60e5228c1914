/** A correct broker's histories hold no anomaly; audited completely, everything that they exercise is proved. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkHistory } from '../../../checkers/index.ts';
import { loadHistoryText } from '../../../src/history/load-text.ts';
import type { ResultDocument } from '../../../src/spi/verdict.ts';
import {
  correctHistory,
  textOfHistory,
  withText,
  type CorrectHistory,
} from '../../support/correct-model.ts';
import { propertyRuns } from '../../support/oracle-runs.ts';

const runs = propertyRuns(600);

/** Claims whose anomalies are all decided by step 1's checkers. */
const decided = ['durability', 'integrity', 'no-duplicates', 'ordering', 'recovery'] as const;

describe('histories of a correct broker', () => {
  it('hold no anomaly, and a complete audit proves every claim that they exercise', () => {
    fc.assert(
      fc.property(correctHistory, (history) => {
        const { anomalies, claims } = judge(history);
        expect(outcomes(anomalies, 'found')).toEqual([]);
        for (const claim of decided) {
          expect([claim, claims[claim].outcome, reasons(anomalies)]).toEqual([
            claim,
            expect.stringMatching(/^(proved|not-exercised)$/),
            expect.anything(),
          ]);
        }
        expect(claims.durability.outcome).toBe('proved');
        expect(claims.recovery.outcome).toBe('proved');
      }),
      runs,
    );
  });

  it('leave lost-write unknown without their audits, and never absent', () => {
    fc.assert(
      fc.property(correctHistory.map(withoutAudits), (history) => {
        const { anomalies } = judge(history);
        expect(outcomes(anomalies, 'found')).toEqual([]);
        expect(anomalies['lost-write'].outcome).toBe('unknown');
        expect(anomalies['lost-write'].reason).not.toBeNull();
      }),
      runs,
    );
  });
});

function judge(history: CorrectHistory): ResultDocument {
  return checkHistory(loadHistoryText(textOfHistory(history), 'correct.jsonl'));
}

function outcomes(anomalies: ResultDocument['anomalies'], outcome: string): readonly string[] {
  return Object.entries(anomalies)
    .filter(([, result]) => result.outcome === outcome)
    .map(([name, { witnesses }]) => `${name}: ${witnesses[0]?.explanation ?? ''}`);
}

function reasons(anomalies: ResultDocument['anomalies']): readonly string[] {
  return Object.entries(anomalies)
    .filter(([, result]) => result.outcome === 'unknown')
    .map(([name, { reason }]) => `${name}: ${reason ?? ''}`);
}

function withoutAudits({ header, events }: CorrectHistory): CorrectHistory {
  const kept = events.filter((event) => event.f !== 'audit');
  return withText({ header, events: kept.map((event, index) => ({ ...event, index })) });
}
