import { describe, expect, it } from 'vitest';
import { overlaps, parseRange, routeRanges } from '../../../../src/clusters/docker/subnets.ts';

describe('ranges', () => {
  it('reads a network and a bare address', () => {
    expect(parseRange('10.213.7.9/24')).toEqual({
      first: ((10 * 256 + 213) * 256 + 7) * 256,
      last: ((10 * 256 + 213) * 256 + 7) * 256 + 255,
    });
    expect(parseRange('255.255.255.255')).toEqual({ first: 2 ** 32 - 1, last: 2 ** 32 - 1 });
  });

  it('overlap at the edges, and only there', () => {
    const subnet = parseRange('10.213.7.0/24');
    expect(overlaps(subnet, parseRange('10.0.0.0/8'))).toBe(true);
    expect(overlaps(subnet, parseRange('10.213.7.255'))).toBe(true);
    expect(overlaps(subnet, parseRange('10.213.8.0/24'))).toBe(false);
    expect(overlaps(subnet, parseRange('10.213.6.0/24'))).toBe(false);
  });

  it('reads the kernel’s routes, little-endian, without the default route', () => {
    const table = [
      'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT',
      'eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0',
      'vpn0\t0007D50A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
      'a line that is none',
      '',
    ].join('\n');
    expect(routeRanges(table)).toEqual([parseRange('10.213.7.0/24')]);
  });
});
