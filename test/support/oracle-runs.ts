/**
 * How many random histories a property tries, and from which seed. `npm test` always tries the same ones, so that it does
 * not fail by luck; ORDEAL_PROPERTY_RUNS asks for that many others, from a seed that fast-check draws and prints;
 * ORDEAL_PROPERTY_SHARE asks for the first of the usual ones alone, in percent (a mutation run, which repeats them often).
 */
export function propertyRuns(usual: number): { readonly numRuns: number; readonly seed?: number } {
  const wanted = Number(process.env['ORDEAL_PROPERTY_RUNS']);
  if (Number.isSafeInteger(wanted) && wanted > 0) return { numRuns: wanted };
  const share = Number(process.env['ORDEAL_PROPERTY_SHARE'] ?? 100);
  return { numRuns: Math.ceil((usual * share) / 100), seed: 20_251_121 };
}
