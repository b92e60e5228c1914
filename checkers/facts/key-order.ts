/** Sorting rows by a numeric key without a comparator wherever that can be: native sorts of typed arrays are far faster. */

/** Positions of `keys` in ascending order of key, equal keys in order of position. Keys are integers or halves. */
export function orderByKey(keys: Float64Array): Uint32Array {
  const count = keys.length;
  const order = new Uint32Array(count);
  let least = Infinity;
  let greatest = -Infinity;
  let descents = 0;
  keys.forEach((key, i) => {
    order[i] = i;
    if (key < greatest) descents++;
    least = Math.min(least, key);
    greatest = Math.max(greatest, key);
  });
  if (descents === 0) return order;
  // Key and position packed into one exact double sort together.
  const span = 2 * (greatest - least) + 1;
  if (!Number.isSafeInteger(span * count)) {
    return order.sort((a, b) => keys[a]! - keys[b]! || a - b);
  }
  const packed = keys.map((key, i) => 2 * (key - least) * count + i).sort();
  packed.forEach((each, place) => {
    order[place] = each % count;
  });
  return order;
}
