/** The text of what an exploration came to. Pure; no time stands in it. */
import { formatDurationMs } from '../core/units.ts';
import type { Paint } from '../report/text.ts';
import { formatCount } from '../report/view.ts';
import type { ExploreDocument } from './explore-totals.ts';

/** Violations beyond this are counted, and stand in the document. */
const violationsShownMax = 10;
/** The same for reasons why runs were unknown. */
const doubtsShownMax = 8;

/** @returns the whole report, ending with a newline. */
export function exploreText(document: ExploreDocument, paint: Paint): string {
  const blocks = [
    anomalyLines(document, paint),
    unknownLines(document),
    doubtLines(document),
    coverageLines(document),
    violationLines(document, paint),
    [conclusionLine(document, paint)],
  ];
  const shown = blocks.filter((block) => block.length > 0);
  return `${shown.map((block) => block.join('\n')).join('\n\n')}\n`;
}

function anomalyLines({ anomalies }: ExploreDocument, paint: Paint): string[] {
  const row = (name: string, ...numbers: readonly (number | string)[]): string =>
    name.padEnd(24) +
    numbers.map((n) => (typeof n === 'number' ? formatCount(n) : n).padStart(11)).join('');
  const head = row('anomaly, in runs:', 'found', 'permitted', 'absent', 'unknown', 'checked');
  return [
    paint('quiet', head),
    ...Object.entries(anomalies).map(([name, totals]) => {
      const { found, permitted, absent, unknown, checked } = totals;
      const text = row(name, found, permitted, absent, unknown, checked);
      return found > permitted ? paint('bad', text) : text;
    }),
  ];
}

function unknownLines({ anomalies }: ExploreDocument): string[] {
  return Object.entries(anomalies).flatMap(([name, { unknown, unknownSeed, unknownReason }]) =>
    unknown === 0
      ? []
      : [
          `${name} unknown in ${unknown}, first with seed ${unknownSeed ?? ''}: ${unknownReason ?? ''}`,
        ],
  );
}

function doubtLines({ unknown, doubts }: ExploreDocument): string[] {
  const more = doubts.length - doubtsShownMax;
  return unknown === 0
    ? []
    : [
        `why ${formatCount(unknown)} ${unknown === 1 ? 'run is' : 'runs are'} unknown:`,
        ...doubts
          .slice(0, doubtsShownMax)
          .map(({ runs, seed, reason }) => `  ${formatCount(runs)}, first seed ${seed}: ${reason}`),
        ...(more > 0 ? [`  and ${more} more reasons, in the JSON`] : []),
      ];
}

function coverageLines(document: ExploreDocument): string[] {
  const { sends, faults } = document;
  const n = formatCount;
  const bit = Object.entries(faults).map(
    ([kind, { injected, tookEffect, healed }]) =>
      `${kind} ${n(injected)} injected, ${n(tookEffect)} bit, ${n(healed)} healed`,
  );
  return [
    `${n(document.operations)} operations in ${formatDurationMs(document.clusterMs)} of cluster time; sends: ${n(sends.acknowledged)} acknowledged, ${n(sends.failed)} failed, ${n(sends.uncertain)} uncertain`,
    `faults: ${bit.length === 0 ? 'none' : bit.join('; ')}`,
  ];
}

function violationLines({ violations }: ExploreDocument, paint: Paint): string[] {
  const more = violations.length - violationsShownMax;
  return [
    ...violations
      .slice(0, violationsShownMax)
      .flatMap(({ seed, command, run, violations: all }) => [
        paint('bad', `seed ${seed}:`),
        ...all.map(({ kind, text }) => `  ${kind === 'anomaly' ? '' : `${kind}: `}${text}`),
        `  again: ${command}`,
        ...(run === null ? [] : [`  kept: ${run}`]),
      ]),
    ...(more > 0 ? [`and ${more} more runs with violations`] : []),
  ];
}

function conclusionLine(document: ExploreDocument, paint: Paint): string {
  const { runs, asked, valid, invalid, unknown, violations } = document;
  const counts = `${formatCount(runs)} of ${formatCount(asked)} runs: ${formatCount(valid)} valid, ${formatCount(invalid)} invalid, ${formatCount(unknown)} unknown`;
  return violations.length === 0
    ? paint(valid > 0 ? 'good' : 'doubt', `NO VIOLATION; ${counts}`)
    : paint('bad', `VIOLATIONS in ${formatCount(violations.length)}; ${counts}`);
}
