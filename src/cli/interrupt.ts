/** Ctrl-C and SIGTERM: the first asks a run to heal and conclude, the second to hurry. */

export type InterruptSignal = 'SIGINT' | 'SIGTERM';

export interface Interruption extends Disposable {
  /** Aborted at the first signal; the reason is its name. */
  readonly signal: AbortSignal;
  /** Aborted at the second. */
  readonly hurry: AbortSignal;
  /** The first signal, or null. */
  received(): InterruptSignal | null;
}

/** What the process emits; the real one, or a test's own emitter. */
export interface SignalSource {
  on(signal: InterruptSignal, listener: () => void): unknown;
  off(signal: InterruptSignal, listener: () => void): unknown;
}

/** @param say is told once per signal what happens now. */
export function listenForSignals(source: SignalSource, say: (line: string) => void): Interruption {
  const first = new AbortController();
  const second = new AbortController();
  let received: InterruptSignal | null = null;
  const onSignal = (name: InterruptSignal) => (): void => {
    if (received === null) {
      received = name;
      say(`${name}: the run is healed and concluded; once more to hurry`);
      first.abort(name);
    } else if (!second.signal.aborted) {
      say(`${name} again: healing and removing the cluster now, without an audit`);
      second.abort(name);
    }
  };
  const listeners = { SIGINT: onSignal('SIGINT'), SIGTERM: onSignal('SIGTERM') } as const;
  source.on('SIGINT', listeners.SIGINT);
  source.on('SIGTERM', listeners.SIGTERM);
  return {
    signal: first.signal,
    hurry: second.signal,
    received: () => received,
    [Symbol.dispose]() {
      source.off('SIGINT', listeners.SIGINT);
      source.off('SIGTERM', listeners.SIGTERM);
    },
  };
}
