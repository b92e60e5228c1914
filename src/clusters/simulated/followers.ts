/** What the leader of a log knows of its followers: how far each has come, and whose fetch waits for news. */
import type { NodeId } from '../../spi/cluster.ts';

/** A fetch that waits for something new in any of its logs. */
export interface FetchWait {
  /** Answers it; later calls do nothing. */
  complete(): void;
}

export interface Follower {
  readonly id: NodeId;
  /** All below is there: the offset that it fetched last; -1 before its first fetch. */
  end: number;
  caughtUpNs: number;
  fetchedNs: number;
  /** The leader's end when the follower fetched last. */
  endAtFetch: number;
  /** Its fetch that waits for something new here; perhaps answered already. */
  waiting: FetchWait | null;
}

export class Followers {
  #all: readonly Follower[] = [];

  get all(): readonly Follower[] {
    return this.#all;
  }

  /**
   * Others take their place, or none.
   * @param end the leader's end.
   * @returns ends the fetches that wait: they belong to an earlier epoch, and are refused now.
   */
  replace(ids: readonly NodeId[], end: number, nowNs: number): () => void {
    const before = this.#all;
    this.#all = ids.map((id): Follower => ({
      id,
      end: -1,
      caughtUpNs: nowNs,
      fetchedNs: nowNs,
      endAtFetch: end,
      waiting: null,
    }));
    return () => {
      for (const follower of before) complete(follower);
    };
  }

  of(id: NodeId): Follower | undefined {
    return this.#all.find((follower) => follower.id === id);
  }

  /** It holds all below `offset`; the leader's log ends at `end`. Undefined: it is no follower. */
  noteFetch(id: NodeId, offset: number, end: number, nowNs: number): Follower | undefined {
    const follower = this.of(id);
    if (follower === undefined) return undefined;
    if (offset >= end) follower.caughtUpNs = nowNs;
    else if (offset >= follower.endAtFetch) {
      follower.caughtUpNs = Math.max(follower.caughtUpNs, follower.fetchedNs);
    }
    follower.end = offset;
    follower.fetchedNs = nowNs;
    follower.endAtFetch = end;
    return follower;
  }

  /** The log has grown to `end`: who has less is told. */
  tellNews(end: number): void {
    for (const follower of this.#all) {
      if (follower.waiting !== null && follower.end < end) complete(follower);
    }
  }
}

function complete(follower: Follower): void {
  const { waiting } = follower;
  follower.waiting = null;
  waiting?.complete();
}
