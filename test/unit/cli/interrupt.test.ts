import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { listenForSignals } from '../../../src/cli/interrupt.ts';

describe('listenForSignals', () => {
  it('interrupts at the first signal, hurries at the second, and stays quiet then', () => {
    const source = new EventEmitter();
    const said: string[] = [];
    using interruption = listenForSignals(source, (line) => said.push(line));
    expect(interruption.received()).toBeNull();
    source.emit('SIGTERM');
    expect(interruption.signal.reason).toBe('SIGTERM');
    expect(interruption.hurry.aborted).toBe(false);
    source.emit('SIGINT');
    expect(interruption.hurry.aborted).toBe(true);
    source.emit('SIGINT');
    expect(interruption.received()).toBe('SIGTERM');
    expect(said).toHaveLength(2);
  });

  it('lets go of the signals when it is disposed', () => {
    const source = new EventEmitter();
    {
      using interruption = listenForSignals(source, () => undefined);
      expect(source.listenerCount('SIGINT') + source.listenerCount('SIGTERM')).toBe(2);
      expect(interruption.signal.aborted).toBe(false);
    }
    expect(source.listenerCount('SIGINT') + source.listenerCount('SIGTERM')).toBe(0);
  });
});
