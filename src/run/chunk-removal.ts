/**
 * Delta debugging by removal: what is not needed goes in large chunks first, then in smaller ones, until no single item can
 * go. Greedy; n log n questions where little is needed, n where much is.
 */

/** Says whether these items are enough. It answers no once its budget is spent. */
export type Accepts<T> = (items: readonly T[]) => boolean | Promise<boolean>;

/** @returns a subset that was accepted and from which no single item can be taken; all of them if nothing could go. */
export async function removeChunks<T>(
  items: readonly T[],
  accepts: Accepts<T>,
): Promise<readonly T[]> {
  let kept = items;
  let size = items.length;
  while (size >= 1) {
    let removed = false;
    for (let from = 0; from < kept.length;) {
      const candidate = [...kept.slice(0, from), ...kept.slice(from + size)];
      if (await accepts(candidate)) {
        kept = candidate;
        removed = true;
      } else from += size;
    }
    if (size > kept.length) size = kept.length;
    else if (size > 1) size = Math.ceil(size / 2);
    else if (!removed) return kept;
  }
  return kept;
}

/** Takes chunks off the front and then off the end, and nothing from within: what is left is a window. */
export async function trimEnds<T>(items: readonly T[], accepts: Accepts<T>): Promise<readonly T[]> {
  let kept = items;
  for (const cut of [(size: number) => kept.slice(size), (size: number) => kept.slice(0, -size)]) {
    for (let size = Math.ceil(kept.length / 2); size >= 1 && kept.length > 0;) {
      const candidate = cut(size);
      if (await accepts(candidate)) {
        kept = candidate;
        size = Math.min(size, Math.ceil(kept.length / 2));
      } else size = size === 1 ? 0 : Math.ceil(size / 2);
    }
  }
  return kept;
}
