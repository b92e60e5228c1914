import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createDefects, undoAll } from '../../../src/cli/emergency.ts';
import { createSession, type Session } from '../../../src/cli/session.ts';

function sessionWith(emergency: Session['emergency']) {
  const output = new PassThrough();
  const session = createSession(output, output, {});
  session.emergency = emergency;
  return { session, told: () => String(output.read() ?? '') };
}

describe('undoAll', () => {
  it('has nothing to do where nothing was started', async () => {
    expect(await undoAll(sessionWith(null).session)).toBe(true);
  });

  it('says what to do about what could not be undone', async () => {
    const { session, told } = sessionWith(() => Promise.reject(new Error('no engine')));
    expect(await undoAll(session)).toBe(false);
    expect(told()).toContain('ordeal clean');
  });
});

describe('a defect that nobody caught', () => {
  it('decides the exit code of a command line that ends first, after everything is undone', async () => {
    const steps: string[] = [];
    const undo = new AbortController();
    const undone = once(undo.signal, 'abort');
    const { session } = sessionWith(() => undone.then(() => steps.push('undone')));
    const defects = createDefects(session, (code) => steps.push(`exit ${code}`));
    expect(await defects.exitCode(0)).toBe(0);
    defects.report(new Error('bug'));
    defects.report(new Error('another'));
    const ending = defects.exitCode(1).then((code) => steps.push(`ends with ${code}`));
    undo.abort();
    await ending;
    expect(steps).toEqual(['undone', 'exit 255', 'ends with 255']);
  });
});
