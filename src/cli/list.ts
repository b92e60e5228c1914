/** `ordeal list`: the names that other commands take, with a sentence each. */
import type { Command } from 'commander';
import { claims } from '../spi/verdict.ts';
import { registries } from './registries.ts';
import { scenarios } from './scenarios/index.ts';
import type { Session } from './session.ts';
import { unknownName } from '../core/suggestion.ts';

interface Entry {
  readonly name: string;
  readonly summary: string;
}

/** What can be listed, in the order in which it is. */
function listing(): Readonly<Record<string, readonly Entry[]>> {
  return {
    workloads: [...registries.workloads.values()].map(({ name, summary }) => ({ name, summary })),
    nemeses: [...registries.nemeses.values()].map(({ name, summary }) => ({ name, summary })),
    scenarios: [...scenarios.values()].map(({ name, summary, expects, controlSummary }) => {
      const found = expects.map((group) => group.join(' or ')).join(', ');
      return { name, summary: `${summary}; finds ${found}; control: ${controlSummary}` };
    }),
    claims: Object.entries(claims).map(([name, anomalies]) => ({
      name,
      summary: anomalies.join(', '),
    })),
    clusters: Object.entries(registries.clusters).map(([name, { summary }]) => ({ name, summary })),
    defects: [...registries.defects.values()].map(({ name, layer, summary, primary }) => ({
      name,
      summary: `${layer}: ${summary.replace(/\.$/, '')}; shows ${primary}`,
    })),
  };
}

export function addListCommand(program: Command, session: Session): void {
  program
    .command('list')
    .summary('name the workloads, nemeses, scenarios, claims, clusters and defects')
    .description(
      'Names what other commands take: workloads, nemeses, scenarios, claims with their anomalies, clusters, and defects of the simulated cluster.',
    )
    .argument(
      '[subject]',
      'one of workloads, nemeses, scenarios, claims, clusters, defects; default: all',
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  ordeal list\n  ordeal list scenarios\n  ordeal list claims --json',
    )
    .action((subject: string | undefined, options: { readonly json?: boolean }) => {
      const all = listing();
      const subjects = subject === undefined ? Object.keys(all) : [subject];
      const chosen = subjects.map((name): [string, readonly Entry[]] => {
        const entries = Object.hasOwn(all, name) ? all[name] : undefined;
        if (entries === undefined) throw unknownName('list', name, Object.keys(all));
        return [name, entries];
      });
      session.stdout.write(
        options.json === true
          ? `${JSON.stringify(Object.fromEntries(chosen), null, 2)}\n`
          : chosen.map(([name, entries]) => section(session, name, entries)).join('\n'),
      );
    });
}

function section({ stdout }: Session, name: string, entries: readonly Entry[]): string {
  const width = Math.max(...entries.map((entry) => entry.name.length)) + 2;
  const lines = entries.map((entry) => `  ${entry.name.padEnd(width)}${entry.summary}\n`);
  return `${stdout.paint('strong', name)}\n${lines.join('')}`;
}
