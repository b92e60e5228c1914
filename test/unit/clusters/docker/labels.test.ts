import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { harnessIdentity, harnessState } from '../../../../src/clusters/docker/labels.ts';

const identity = (change: (parts: string[]) => void): string => {
  const parts = harnessIdentity().split(':');
  change(parts);
  return parts.join(':');
};

describe('harnessState', () => {
  it('knows this living process', () => {
    expect(harnessState(harnessIdentity(), true).alive).toBe(true);
  });

  it('tells a reused process number by the start time', () => {
    const other = identity((parts) => (parts[1] = '1'));
    expect(harnessState(other, true)).toMatchObject({
      alive: false,
      why: expect.stringContaining('another process has its number') as string,
    });
  });

  it('knows a process that has ended', async () => {
    const child = spawn('sleep', ['30']);
    await once(child, 'spawn');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const gone = identity((parts) => (parts[0] = String(child.pid)));
    expect(harnessState(gone, true).alive).toBe(false);
  });

  it('after a reboot nothing lives; on another machine’s engine it cannot tell', () => {
    const other = identity((parts) => (parts[2] = 'another-boot'));
    expect(harnessState(other, true).alive).toBe(false);
    expect(harnessState(other, false).alive).toBe('unknown');
  });

  it('leaves harnesses of other process namespaces alone', () => {
    expect(
      harnessState(
        identity((parts) => (parts[3] = '1')),
        true,
      ).alive,
    ).toBe('unknown');
  });

  it('takes a label that names no harness for a dead one', () => {
    expect(harnessState(undefined, true).alive).toBe(false);
    expect(harnessState('nonsense', true).alive).toBe(false);
  });
});
