/** The report as text for a terminal or a log file: a verdict table, witnesses, reasons, coverage, one last line. Pure. */
import { surroundingLines } from './surroundings.ts';
import { formatCount } from './view.ts';
import type { ClaimRow, FoundSection, ReportView, UnknownSection } from './view.ts';

/** What a span of text means; the caller decides whether and how that is coloured. */
export type Tone = 'good' | 'bad' | 'doubt' | 'quiet' | 'strong';
export type Paint = (tone: Tone, text: string) => string;

/** No colour at all: files, pipes, NO_COLOR. */
export const plainPaint: Paint = (_tone, text) => text;

const widthMax = 100;
/** Of each anomaly; the document has more, and the count is exact. */
const witnessesShownMax = 3;
const nameWidth = 30;
const outcomeWidth = 15;
const numberWidth = 11;

const tones = {
  proved: 'good',
  absent: 'good',
  refuted: 'bad',
  found: 'bad',
  unknown: 'doubt',
  'not-exercised': 'quiet',
} as const satisfies Record<string, Tone>;

/** @returns the whole report, ending with a newline. */
export function renderText(view: ReportView, paint: Paint): string {
  const blocks = [
    view.title === null ? [] : [paint('strong', view.title)],
    verdictTable(view.claims, paint),
    view.found.flatMap((section) => foundLines(section, paint)),
    view.unknown.flatMap((section) => unknownLines(section, paint)),
    coverageTable(view, paint),
    [conclusionLine(view, paint)],
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')}\n`;
}

function verdictTable(claims: readonly ClaimRow[], paint: Paint): string[] {
  const head = row('claim, anomaly', 'outcome', 'found', 'checked', '');
  return [paint('quiet', head.trimEnd()), ...claims.flatMap((claim) => claimLines(claim, paint))];
}

function claimLines(claim: ClaimRow, paint: Paint): string[] {
  const note = claim.demanded ? 'demanded' : '';
  const line = row(claim.name, claim.outcome, '', '', note).trimEnd();
  return [
    paint(tones[claim.outcome], line),
    ...claim.anomalies.map(({ name, outcome, count, checked, permittedBy }) => {
      const note = permittedBy === null ? '' : `permitted by ${permittedBy}`;
      const numbers = [formatCount(count), formatCount(checked)] as const;
      return paint(tones[outcome], row(`  ${name}`, outcome, ...numbers, note).trimEnd());
    }),
  ];
}

function row(name: string, outcome: string, found: string, checked: string, note: string): string {
  const left = name.padEnd(nameWidth) + outcome.padEnd(outcomeWidth);
  return `${left}${found.padStart(numberWidth)}${checked.padStart(numberWidth)}  ${note}`;
}

function foundLines(section: FoundSection, paint: Paint): string[] {
  const { name, count, permittedBy, witnesses } = section;
  const permitted = permittedBy === null ? '' : `, permitted by ${permittedBy}`;
  const shownWitnesses = witnesses.slice(0, witnessesShownMax);
  const shown =
    shownWitnesses.length < count ? `; ${shownWitnesses.length} shown${more(section)}` : '';
  return [
    `${paint('bad', name)}: ${formatCount(count)} found${permitted}${shown}`,
    ...shownWitnesses.flatMap((witness, position) => {
      const place = [
        witness.log,
        witness.offset === undefined ? undefined : `offset ${witness.offset}`,
        `layer ${witness.layer}`,
        `events ${witness.operations.join(', ')}`,
      ].filter((part) => part !== undefined);
      const head = `  ${position + 1}. `;
      const [first = '', ...rest] = wrap(place.join(', '), ' '.repeat(head.length));
      return [
        head + first.trimStart(),
        ...rest,
        ...wrap(witness.explanation, '     '),
        ...surroundingLines(witness).flatMap((line) => wrap(line, '       ')),
      ];
    }),
  ];
}

function more({ witnesses }: FoundSection): string {
  return witnesses.length > witnessesShownMax ? `, ${witnesses.length} in the JSON` : '';
}

function unknownLines({ names, reason }: UnknownSection, paint: Paint): string[] {
  const head = wrap(`${names.join(', ')}: unknown, because`, '');
  return [...head.map((line) => paint('doubt', line)), ...wrap(reason, '  ')];
}

function coverageTable(view: ReportView, paint: Paint): string[] {
  const width = Math.max(...view.coverage.map(([label]) => label.length)) + 2;
  return [
    ...view.coverage.flatMap(([label, text]) => {
      const [first = '', ...rest] = wrap(text, ' '.repeat(width));
      return [paint('quiet', label.padEnd(width)) + first.trimStart(), ...rest];
    }),
    ...view.warnings.flatMap((warning) => wrap(`warning: ${warning}`, '')),
  ];
}

function conclusionLine(view: ReportView, paint: Paint): string {
  if (view.valid === 'unknown') return paint('doubt', view.conclusion);
  return paint(view.valid ? 'good' : 'bad', view.conclusion);
}

/** Breaks at spaces so that lines, indentation included, fit the width; a word that is longer stands alone. */
function wrap(text: string, indent: string): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (const word of paragraph.split(' ')) {
      if (line !== '' && indent.length + line.length + 1 + word.length > widthMax) {
        lines.push(indent + line);
        line = word;
      } else {
        line = line === '' ? word : `${line} ${word}`;
      }
    }
    lines.push(indent + line);
  }
  return lines;
}
