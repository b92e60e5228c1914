/** Runs the built command as a real process, and writes the small histories that it reads. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';

export const main = resolve(import.meta.dirname, '../../dist/src/cli/main.js');

export interface Run {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

interface RunSettings {
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
}

/** An engine that is not there: whatever needs Docker must say so. */
const noDocker = { DOCKER_HOST: 'unix:///nowhere/docker.sock' } as const;

export async function ordeal(args: readonly string[], settings: RunSettings = {}): Promise<Run> {
  const { exitCode, stdout, stderr, durationMs } = await execa(process.execPath, [main, ...args], {
    reject: false,
    stripFinalNewline: false,
    env: { ...noDocker, ...settings.env },
    ...(settings.cwd === undefined ? {} : { cwd: settings.cwd }),
    ...(settings.input === undefined ? {} : { input: settings.input }),
  });
  return { exitCode, stdout, stderr, durationMs };
}

/** A directory that disappears with the test. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'ordeal-cli-'));

  write(name: string, content: string | Uint8Array): string {
    const path = join(this.path, name);
    writeFileSync(path, content);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

const header =
  '{"ordeal":1,"run":"r1","seed":"7","system":{"name":"kafka","version":"4.1.1"},"claims":["durability"],"config":{"acks":"all"}}';

const acknowledged = [
  '{"index":0,"time":1000,"process":0,"type":"invoke","f":"send","value":[["send","orders/0",17]]}',
  '{"index":1,"time":2000,"process":0,"type":"ok","f":"send","value":[["send","orders/0",[0,17]]]}',
];

function audit(records: string): string[] {
  return [
    '{"index":2,"time":3000,"process":1,"type":"invoke","f":"audit","value":{"log":"orders/0","view":"committed","from":0,"scan":"final"}}',
    `{"index":3,"time":4000,"process":1,"type":"ok","f":"audit","value":{"log":"orders/0","view":"committed","from":0,"scan":"final","next":1,"records":[${records}],"start":0,"end":1,"lastStable":1,"leaderEpoch":0,"linearizable":true}}`,
  ];
}

const text = (lines: readonly string[]): string => `${lines.join('\n')}\n`;

/** One acknowledged send that the audit holds. */
export const goodHistory = text([header, ...acknowledged, ...audit('[0,17]')]);
/** The same send, and an audit that lacks it. */
export const badHistory = text([header, ...acknowledged, ...audit('')]);
/** The same send, never audited. */
export const openHistory = text([header, ...acknowledged]);
