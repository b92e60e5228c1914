/** Sorting rows by a numeric key without a comparator wherever that can be: native sorts of typed arrays are far faster. */

/** Positions of `keys` in ascending order of key, equal keys in order of position. Keys are integers or halves. */
export function orderByKey(keys: Float64Array): Uint32Array {
  const count = keys.length;
  const order = new Uint32Array(count);
  let least = Infinity;
  let greatest = -Infinity;
  let sorted = true;
  for (let i = 0; i < count; i++) {
    order[i] = i;
    if (keys[i]! < greatest) sorted = false;
    least = Math.min(least, keys[i]!);
    greatest = Math.max(greatest, keys[i]!);
  }
  if (sorted) return order;
  // Key and position packed into one exact double sort together.
  const span = 2 * (greatest - least) + 1;
  if (span * count >= Number.MAX_SAFE_INTEGER) {
    return order.sort((a, b) => keys[a]! - keys[b]! || a - b);
  }
  const packed = new Float64Array(count);
  for (let i = 0; i < count; i++) packed[i] = 2 * (keys[i]! - least) * count + i;
  packed.sort();
  for (let i = 0; i < count; i++) order[i] = packed[i]! % count;
  return order;
}
