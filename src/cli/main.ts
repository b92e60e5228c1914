#!/usr/bin/env node
/** Where a process begins and ends: real streams, the exit code, and what nobody caught. */
import { readFileSync } from 'node:fs';
import { OrdealError, exitCodes } from '../core/errors.ts';
import { createDefects } from './emergency.ts';
import { explainFailure } from './failure.ts';
import { runCommandLine } from './program.ts';
import { createSession } from './session.ts';

const session = createSession(process.stdout, process.stderr, process.env);

const defects = createDefects(session, (code) => process.exit(code));
process.on('uncaughtException', defects.report);
process.on('unhandledRejection', defects.report);

const code = await runCommandLine(process.argv.slice(2), session, packageVersion());
const lost = await session.stdout.flush();
if (lost !== null) {
  const next = 'free space where it goes, or send it elsewhere, and run the command again';
  const problem = `standard output could not be written: ${lost.message}`;
  explainFailure(session, new OrdealError('OUTPUT_IO', problem, next));
}
await session.stderr.flush();
// Libraries may hold sockets and timers that nothing needs any more: the work is done, so the process ends.
process.exit(await defects.exitCode(lost === null ? code : exitCodes.environment));

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
