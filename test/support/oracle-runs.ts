/** How many random histories a property tries: ORDEAL_PROPERTY_RUNS raises it for a long run. */
export function propertyRuns(usual: number): number {
  const wanted = Number(process.env['ORDEAL_PROPERTY_RUNS']);
  return Number.isSafeInteger(wanted) && wanted > 0 ? wanted : usual;
}
