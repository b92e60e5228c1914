/** The text of docs/defects.md: the faults of implementation that the simulated cluster can have, from the registries. */
import { registries } from '../src/cli/registries.ts';
import type { Defect } from '../src/spi/simulation.ts';

const head = `# Defects

Faults of implementation that \`--defect\` switches on in the simulated brokers and clients: each is what a real system or client once
did, or might. They show that a promise which is broken is seen: a run with a defect finds its primary anomaly first of all,
may find its consequences, and must find nothing else.

\`\`\`
ordeal test --defect ack-before-replication
ordeal explore --defect ack-before-replication --runs 50
\`\`\`

A defect brings the settings without which it never shows; everything else stays what the flags say, or what \`--swarm\` and
\`ordeal explore\` draw. This page is generated: \`scripts/defects-page.ts\`.
`;

/** Before prettier. */
export function defectsText(): string {
  return [head, section('broker'), section('client')].join('\n');
}

function section(layer: Defect['layer']): string {
  const title = layer === 'broker' ? '## In the broker' : '## In the client';
  const rows = [...registries.defects.values()]
    .filter((defect) => defect.layer === layer)
    .map(({ name, summary, twin, primary, consequences, needs }) => [
      `\`${name}\``,
      summary.replace(/\.$/, ''),
      twin ?? 'none known',
      [`**${primary}**`, ...consequences].join(', '),
      needsText(needs),
    ]);
  const columns = ['defect', 'what is done wrong', 'real twin', 'shows', 'needs'];
  const lines = [columns, columns.map(() => '---'), ...rows].map(
    (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`,
  );
  return `${title}\n\n${lines.join('\n')}\n`;
}

/** In Kafka's own words where it has them. */
function needsText({ nemeses, sends, ...settings }: Defect['needs']): string {
  const { idempotent, acks, requestTimeoutMs, retriesMax, minInSync, workload } = settings;
  const words = [
    workload === undefined ? [] : [`workload ${workload}`],
    nemeses === undefined ? [] : [nemeses.join(', ')],
    idempotent === undefined ? [] : [`enable.idempotence=${idempotent}`],
    acks === undefined ? [] : [`acks=${acks}`],
    requestTimeoutMs === undefined ? [] : [`request timeout ${requestTimeoutMs} ms`],
    retriesMax === undefined ? [] : [`retries=${retriesMax}`],
    minInSync === undefined ? [] : [`min.insync.replicas=${minInSync}`],
    sends?.recordsPerSendMax === undefined
      ? []
      : [`up to ${sends.recordsPerSendMax} records per send`],
    sends?.partition === undefined ? [] : [`partitions chosen by: ${sends.partition}`],
    sends?.afterFailure === undefined ? [] : [`after a failure: ${sends.afterFailure}`],
    sends?.sharedBy === undefined ? [] : [`clients shared by ${sends.sharedBy} workers`],
  ].flat();
  return words.join('; ');
}
