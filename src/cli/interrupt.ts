/**
 * Ctrl-C and SIGTERM, and a terminal that went away: the first asks a run to heal and conclude, the second to hurry,
 * the third gives the run up.
 */

/** SIGHUP counts as SIGTERM. */
export type InterruptSignal = 'SIGINT' | 'SIGTERM';

const signalNames = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type SignalName = (typeof signalNames)[number];

export interface Interruption extends Disposable {
  /** Aborted at the first signal; the reason is its name. */
  readonly signal: AbortSignal;
  /** Aborted at the second. */
  readonly hurry: AbortSignal;
  /** The first signal, or null. */
  received(): InterruptSignal | null;
  /** Takes the signals, as it does from the beginning; again after `release`. */
  listen(): void;
  /**
   * Leaves them to the system, which ends the process at once. For the check, where nothing is left to be healed: it
   * keeps the event loop busy, so that no listener of ours would be called before its end.
   */
  release(): void;
}

/** What the process emits; the real one, or a test's own emitter. */
export interface SignalSource {
  on(signal: SignalName, listener: (signal: SignalName) => void): unknown;
  off(signal: SignalName, listener: (signal: SignalName) => void): unknown;
}

/**
 * @param say is told what happens now, at the first three signals.
 * @param giveUp is called once, at the third, with the first: it undoes what it can and ends the process.
 */
export function listenForSignals(
  source: SignalSource,
  say: (line: string) => void,
  giveUp: (first: InterruptSignal) => void,
): Interruption {
  const first = new AbortController();
  const second = new AbortController();
  let received: InterruptSignal | null = null;
  let isGivenUp = false;
  let isListening = false;
  const onSignal = (name: SignalName): void => {
    if (received === null) {
      received = name === 'SIGINT' ? 'SIGINT' : 'SIGTERM';
      say(`${name}: the run is healed and concluded; once more to hurry`);
      first.abort(received);
    } else if (!second.signal.aborted) {
      say(`${name} again: healing and removing the cluster now, without an audit`);
      second.abort(name);
    } else if (!isGivenUp) {
      isGivenUp = true;
      say(`${name} once more: the run is given up, its cluster removed`);
      giveUp(received);
    }
  };
  const listen = (): void => {
    if (isListening) return;
    isListening = true;
    for (const name of signalNames) source.on(name, onSignal);
  };
  const release = (): void => {
    isListening = false;
    for (const name of signalNames) source.off(name, onSignal);
  };
  listen();
  return {
    signal: first.signal,
    hurry: second.signal,
    received: () => received,
    listen,
    release,
    [Symbol.dispose]: release,
  };
}
