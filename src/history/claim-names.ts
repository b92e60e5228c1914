/**
 * The claims that a header may demand. Verdicts define them (src/spi/verdict.ts, which this folder may not import); a
 * test holds the two lists equal.
 */
export const knownClaims = [
  'durability',
  'integrity',
  'no-duplicates',
  'ordering',
  'isolation',
  'atomicity',
  'group-delivery',
  'exactly-once',
  'compaction',
  'completeness',
  'recovery',
] as const;
