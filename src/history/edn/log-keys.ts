/**
 * Jepsen's keys and our logs. A key is an integer that stands for one partition of one topic, and which that is only the client
 * knows: key k is the log `jepsen/k`. Logs of other topics get keys of their own, and the file says which.
 */
import type { HistoryEvent } from '../event.ts';
import { logName, parseLogName } from '../log-name.ts';
import { Problem } from '../problem.ts';
import { expected } from './print.ts';
import { EdnMap, type Edn } from './values.ts';

/** The topic of all logs of a Jepsen test. */
export const jepsenTopic = 'jepsen';
/** A partition has at most nine digits. */
const keyMax = 999_999_999;

export class LogKeys {
  readonly #nameByKey = new Map<number, string>();
  readonly #keyByName = new Map<string, number>();

  /** Log (or topic alone) of a key. @throws Problem unless it is one. */
  nameOf(key: Edn | undefined, field: string): string {
    if (typeof key !== 'number' || !Number.isInteger(key) || key < 0 || key > keyMax) {
      throw expected(field, `a key, an integer in [0, ${keyMax}]`, key);
    }
    return this.#nameByKey.get(key) ?? logName(jepsenTopic, key);
  }

  /** @throws Error for a name that was not given a key. */
  keyOf(name: string): number {
    const known = this.#keyByName.get(name) ?? jepsenKey(name);
    if (known === null) throw new Error(`assertion failed: "${name}" has no key`);
    return known;
  }

  has(name: unknown): boolean {
    return typeof name === 'string' && (this.#keyByName.has(name) || jepsenKey(name) !== null);
  }

  /** What `:ordeal/logs` says. */
  toEdn(): EdnMap {
    return new EdnMap([...this.#nameByKey]);
  }

  /** @throws Problem. */
  addEdn(edn: Edn, field: string): void {
    if (!(edn instanceof EdnMap)) throw expected(field, 'a map from keys to logs', edn);
    for (const [key, name] of edn.entries) {
      this.nameOf(key, `${field} key`);
      if (typeof name !== 'string' || parseLogName(name) === null) {
        throw expected(field, 'a log, "topic/partition", or a topic', name);
      }
      this.#add(key as number, name);
    }
  }

  #add(key: number, name: string): void {
    const [taken, other] = [this.#nameByKey.get(key), this.#keyByName.get(name)];
    if (taken !== undefined || other !== undefined) {
      throw new Problem('ordeal/logs', `key ${key} or log "${name}" stands twice`);
    }
    this.#nameByKey.set(key, name);
    this.#keyByName.set(name, key);
  }

  /** Keys for all logs that the events name; in order of topic and partition, so that they do not depend on who came first. */
  static of(events: readonly HistoryEvent[]): LogKeys {
    const names = [...namesIn(events)].sort(byTopicAndPartition);
    const taken = new Set(names.map(jepsenKey));
    const keys = new LogKeys();
    let next = 0;
    for (const name of names) {
      if (jepsenKey(name) !== null) continue;
      while (taken.has(next)) next++;
      keys.#add(next++, name);
    }
    return keys;
  }
}

function jepsenKey(name: string): number | null {
  const parts = parseLogName(name);
  return parts?.topic === jepsenTopic ? parts.partition : null;
}

function namesIn(events: readonly HistoryEvent[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { type, f, value } of events) {
    if (type === 'event') continue;
    if (f === 'send' || f === 'poll' || f === 'txn') {
      for (const micro of (value ?? []) as readonly (readonly unknown[])[]) {
        if (micro[0] === 'send') names.add(micro[1] as string);
        else if (micro[0] === 'poll') for (const log of Object.keys(micro[1] ?? {})) names.add(log);
      }
    } else if (f === 'assign' || f === 'subscribe') {
      const { logs } = (value ?? {}) as { readonly logs?: unknown };
      for (const log of Array.isArray(logs) ? (logs as readonly unknown[]) : []) {
        if (typeof log === 'string' && parseLogName(log) !== null) names.add(log);
      }
    }
  }
  return names;
}

function byTopicAndPartition(a: string, b: string): number {
  const [left, right] = [parseLogName(a)!, parseLogName(b)!];
  if (left.topic !== right.topic) return left.topic < right.topic ? -1 : 1;
  return (left.partition ?? -1) - (right.partition ?? -1);
}
