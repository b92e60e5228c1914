import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { listenForSignals } from '../../../src/cli/interrupt.ts';

const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function listen() {
  const source = new EventEmitter();
  const said: string[] = [];
  const givenUp: string[] = [];
  const interruption = listenForSignals(
    source,
    (line) => said.push(line),
    (first) => givenUp.push(first),
  );
  const emit = (name: (typeof names)[number]): void => {
    source.emit(name, name);
  };
  const listeners = (): number => names.reduce((sum, name) => sum + source.listenerCount(name), 0);
  return { emit, said, givenUp, interruption, listeners };
}

describe('listenForSignals', () => {
  it('interrupts at the first signal, hurries at the second, gives up at the third', () => {
    const { emit, said, givenUp, interruption } = listen();
    expect(interruption.received()).toBeNull();
    emit('SIGTERM');
    expect(interruption.signal.reason).toBe('SIGTERM');
    expect(interruption.hurry.aborted).toBe(false);
    emit('SIGINT');
    expect(interruption.hurry.aborted).toBe(true);
    expect(givenUp).toEqual([]);
    emit('SIGINT');
    emit('SIGINT');
    expect(givenUp).toEqual(['SIGTERM']);
    expect(interruption.received()).toBe('SIGTERM');
    expect(said).toHaveLength(3);
  });

  it('takes a terminal that went away for SIGTERM', () => {
    const { emit, interruption } = listen();
    emit('SIGHUP');
    expect(interruption.received()).toBe('SIGTERM');
    expect(interruption.signal.reason).toBe('SIGTERM');
  });

  it('leaves the signals to the system while released, and takes them again', () => {
    const { emit, interruption, listeners } = listen();
    interruption.listen();
    expect(listeners()).toBe(3);
    interruption.release();
    expect(listeners()).toBe(0);
    interruption.listen();
    emit('SIGINT');
    expect(interruption.received()).toBe('SIGINT');
    interruption[Symbol.dispose]();
    expect(listeners()).toBe(0);
  });
});
