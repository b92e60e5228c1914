import { describe, expect, it } from 'vitest';
import { parseFlags } from '../../../src/cli/flags.ts';
import { refuseBeyondMemory } from '../../../src/cli/memory-need.ts';
import { registries } from '../../../src/cli/registries.ts';
import { resolveRun } from '../../../src/cli/resolve.ts';

function optionsOf(flags: Readonly<Record<string, string>>) {
  return resolveRun(parseFlags(flags), Object.keys(flags), '1', registries);
}

const heap = 4 * 2 ** 30;

describe('a simulated run that would not fit into memory', () => {
  it('is refused, with what would help', () => {
    const options = optionsOf({ timeLimit: '168h', rate: '100' });
    expect(() => {
      refuseBeyondMemory(options, heap);
    }).toThrow(/60480000 simulated sends need some 1154\d\d MiB, and Node may use 4096 MiB/);
    expect(() => {
      refuseBeyondMemory(optionsOf({ timeLimit: '5h', rate: '100' }), heap);
    }).not.toThrow();
    expect(() => {
      refuseBeyondMemory(optionsOf({ timeLimit: '5h', rate: '100' }), heap / 2);
    }).toThrow(
      expect.objectContaining({
        code: 'BAD_ARGUMENT',
        next: expect.stringMatching(/=3529$/) as unknown,
      }),
    );
  });

  it('is none of ours where the cluster is real', () => {
    const options = optionsOf({ timeLimit: '168h', rate: '1000', cluster: 'docker' });
    expect(() => {
      refuseBeyondMemory(options, heap);
    }).not.toThrow();
  });
});
