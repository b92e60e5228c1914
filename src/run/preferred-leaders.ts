/** Gives leadership back to the preferred replicas: after a few kills one node leads everything, and faults miss. */
import { describeError } from '../core/errors.ts';
import type { LogName } from '../history/event.ts';
import type { AdminPort, PartitionView } from '../spi/cluster.ts';
import { mergeViews } from './picture.ts';
import type { RunRecord } from './run-record.ts';

const viewTimeoutMs = 1_000;

/** Elects where the preferred replica is in sync and does not lead; a refusal is recorded and changes nothing. */
export async function electPreferred(
  admin: AdminPort,
  record: RunRecord,
  logs: ReadonlySet<LogName>,
): Promise<void> {
  let outcome: { readonly notMoved: readonly string[] } | { readonly error: string };
  let displaced: readonly PartitionView[] = [];
  try {
    const { partitions } = mergeViews(await admin.views(viewTimeoutMs));
    displaced = [...partitions].filter(([log]) => logs.has(log)).map(([, view]) => view);
    displaced = displaced.filter(isDisplaced);
    if (displaced.length === 0) return;
    outcome = { notMoved: await admin.elect('preferred', displaced) };
  } catch (thrown) {
    outcome = { error: describeError(thrown) };
  }
  const names = displaced.map((view) => `${view.topic}/${view.partition}`);
  record.observe('elect', { kind: 'preferred', logs: names, ...outcome });
}

function isDisplaced(view: PartitionView): boolean {
  const preferred = view.replicas[0];
  return preferred !== undefined && view.leader !== preferred && view.inSync.includes(preferred);
}
