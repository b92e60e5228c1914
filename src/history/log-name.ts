/** Names of logs: `topic/partition`, or a topic alone where the client chooses the partition. */

/** One partition of a topic. A topic holds no slash; a partition is written without leading zeros. */
export const logPattern = /^[^/]+\/(0|[1-9][0-9]{0,8})$/;
export const topicPattern = /^[^/]+$/;

export interface LogParts {
  readonly topic: string;
  /** Null where the name is a topic alone. */
  readonly partition: number | null;
}

/** Names by topic and partition. */
const madeNames = new Map<string, string[]>();
const topicsKeptMax = 1_000;

/**
 * The name of a partition's log. The same names are asked for again and again, by the thousand in a second of simulated
 * time: each is made once, so that whoever looks it up need not hash it anew.
 */
export function logName(topic: string, partition: number): string {
  let names = madeNames.get(topic);
  if (names === undefined) {
    if (madeNames.size === topicsKeptMax) madeNames.clear();
    names = [];
    madeNames.set(topic, names);
  }
  const known = names[partition];
  if (known !== undefined) return known;
  const name = `${topic}/${partition}`;
  names[partition] = name;
  return name;
}

/** What a name says, or null if it is neither a log nor a topic. */
export function parseLogName(name: string): LogParts | null {
  if (logPattern.test(name)) {
    const slash = name.indexOf('/');
    return { topic: name.slice(0, slash), partition: Number(name.slice(slash + 1)) };
  }
  return topicPattern.test(name) ? { topic: name, partition: null } : null;
}

/**
 * Log names as small integers, in order of appearance. Each topic also has a pseudo-log, named by the topic alone; it
 * holds sends until their partition is learned.
 */
export class LogNames {
  readonly names: string[] = [];
  readonly parts: LogParts[] = [];
  /** By log id: id of the pseudo-log of its topic. */
  readonly pseudo: number[] = [];
  readonly #ids = new Map<string, number>();

  /** Id of a name that parseLogName accepts. */
  intern(name: string): number {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    const parts = parseLogName(name);
    if (parts === null) throw new Error(`assertion failed: "${name}" is no log`);
    const pseudo = parts.partition === null ? this.names.length : this.intern(parts.topic);
    const id = this.names.length;
    this.names.push(name);
    this.parts.push(parts);
    this.pseudo.push(pseudo);
    this.#ids.set(name, id);
    return id;
  }
}
