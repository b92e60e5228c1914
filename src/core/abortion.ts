/**
 * Told when a signal aborts, cheaply: a signal has one listener however many wait for it, for hundreds wait at once, most
 * of them for less than a second, and adding and removing a listener costs more than all else that a wait does.
 */

type Callbacks = Set<() => void>;

const callbacksOf = new WeakMap<AbortSignal, Callbacks>();

/**
 * Calls `callback`, which is of this wait alone, once when `signal` aborts; those of one signal are called in the order
 * in which they came. The signal must not have aborted yet.
 * @returns ends the wait; it does nothing once the callback was called.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const callbacks = callbacksOf.get(signal) ?? listen(signal);
  callbacks.add(callback);
  return () => {
    callbacks.delete(callback);
  };
}

function listen(signal: AbortSignal): Callbacks {
  const callbacks: Callbacks = new Set();
  callbacksOf.set(signal, callbacks);
  const tellAll = (): void => {
    for (const callback of callbacks) {
      callbacks.delete(callback);
      callback();
    }
  };
  signal.addEventListener('abort', tellAll, { once: true });
  return callbacks;
}
