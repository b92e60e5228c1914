import { describe, expect, it } from 'vitest';
import { formatDurationMs, parseDurationMs } from '../../../src/core/units.ts';

describe('parseDurationMs', () => {
  it.each([
    ['500ms', 500],
    ['60s', 60_000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
  ])('%s is %d ms', (text, durationMs) => {
    expect(parseDurationMs(text, '--time-limit')).toBe(durationMs);
  });

  it.each(['60', '0s', '-5s', 'soon', '1.5ms', '', '1e9h'])(
    'refuses "%s" and names the flag',
    (text) => {
      expect(() => parseDurationMs(text, '--time-limit')).toThrow('--time-limit');
    },
  );
});

describe('formatDurationMs', () => {
  it.each([
    [850, '850ms'],
    [12_340, '12.3s'],
    [245_000, '4m05s'],
    [119_999, '2m00s'],
  ])('%d ms is %s', (durationMs, text) => {
    expect(formatDurationMs(durationMs)).toBe(text);
  });
});
