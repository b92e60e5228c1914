/** The lowest of the positions [0, count) at which `holds`, or `count`: once it holds, it must hold for all that follow. */
export function lowestWhere(count: number, holds: (position: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
