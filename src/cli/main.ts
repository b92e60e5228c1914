#!/usr/bin/env node
/** Where a process begins and ends: real streams, the exit code, and what nobody caught. */
import { readFileSync } from 'node:fs';
import { withDeadline } from '../core/bounded.ts';
import { exitCodes } from '../core/errors.ts';
import { reportFailure } from './failure.ts';
import { runCommandLine } from './program.ts';
import { createSession } from './session.ts';

const session = createSession(process.stdout, process.stderr, process.env);

/** Long enough to heal and remove three pods. */
const emergencyTimeoutMs = 60_000;
let isDefect = false;

/** After a defect the process is in no state to go on: it undoes what it did to the machine, bounded, and ends. */
function onDefect(thrown: unknown): void {
  reportFailure(session, thrown, false);
  if (isDefect) return;
  isDefect = true;
  void undoAll().finally(() => process.exit(exitCodes.environment));
}

async function undoAll(): Promise<void> {
  if (session.emergency === null) return;
  const undone = await withDeadline(session.clock, emergencyTimeoutMs, session.emergency());
  if (undone.status === 'done') return;
  session.stderr.write('not everything could be undone: run ordeal clean\n');
}

process.on('uncaughtException', onDefect);
process.on('unhandledRejection', onDefect);

const code = await runCommandLine(process.argv.slice(2), session, packageVersion());
await session.stdout.flush();
await session.stderr.flush();
// Libraries may hold sockets and timers that nothing needs any more: the work is done, so the process ends.
process.exit(code);

/** From package.json, three folders above dist/src/cli/ and two above src/cli/. */
function packageVersion(): string {
  for (const up of ['../../../package.json', '../../package.json']) {
    try {
      const text = readFileSync(new URL(up, import.meta.url), 'utf8');
      return (JSON.parse(text) as { readonly version: string }).version;
    } catch {
      continue;
    }
  }
  return 'unknown';
}
