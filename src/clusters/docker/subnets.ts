/** One bridge network per run, on a subnet picked when the run starts: the next one on overlap. */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { OrdealError } from '../../core/errors.ts';
import { dockerStatus, type Engine } from './engine.ts';
import { runLabels } from './labels.ts';

/** 10.213.N.0/24, N below this: far from what Docker hands out itself (172.17 to 172.31, 192.168). */
const subnetsMax = 200;
const attemptsMax = 60;

export interface RunNetwork {
  readonly id: string;
  readonly name: string;
  /** Like "10.213.7". */
  readonly prefix: string;
}

/** Creates the network of a run. Another run may take the same subnet at the same moment: then the next is tried. */
export async function createNetwork(engine: Engine, run: string): Promise<RunNetwork> {
  const name = `ordeal-${run}`;
  const taken = await takenRanges(engine);
  // Two harnesses that start together begin at different places, so that they rarely race for one subnet.
  const first = process.pid % subnetsMax;
  let attempts = 0;
  let last: unknown;
  for (let i = 0; i < subnetsMax && attempts < attemptsMax; i++) {
    const prefix = `10.213.${(first + i) % subnetsMax}`;
    if (taken.some((range) => overlaps(range, parseRange(`${prefix}.0/24`)))) continue;
    attempts++;
    try {
      const network = await engine.call(`creating network ${name}`, () =>
        engine.docker.createNetwork({
          Name: name,
          Driver: 'bridge',
          CheckDuplicate: true,
          Labels: runLabels(run),
          IPAM: {
            Driver: 'default',
            Config: [{ Subnet: `${prefix}.0/24`, Gateway: `${prefix}.1` }],
          },
        }),
      );
      return { id: network.id, name, prefix };
    } catch (error) {
      if (!isOverlap(error)) throw error;
      last = error;
    }
  }
  throw new OrdealError(
    'DOCKER_FAILED',
    `no free subnet in 10.213.0.0/16 after ${attempts} attempts`,
    'remove networks of earlier runs with `ordeal clean`, or other networks with `docker network prune`',
    { cause: last },
  );
}

/** IPv4 range as first and last address. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

/** "10.1.2.0/24" to a range; a bare address is a range of one. */
export function parseRange(cidr: string): Range {
  const [address = '', bits = '32'] = cidr.split('/');
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(bits));
  const first = Math.floor(number / size) * size;
  return { first, last: first + size - 1 };
}

export function overlaps(a: Range, b: Range): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/** Rows of /proc/net/route (little-endian hexadecimal) as ranges, the default route left out. */
export function routeRanges(table: string): Range[] {
  const ranges: Range[] = [];
  for (const row of table.split('\n').slice(1)) {
    const fields = row.trim().split(/\s+/);
    const destination = littleEndian(fields[1]);
    const mask = littleEndian(fields[7]);
    if (destination === null || mask === null || mask === 0) continue;
    ranges.push({ first: destination, last: destination + (0xffffffff - mask) });
  }
  return ranges;
}

function littleEndian(hex: string | undefined): number | null {
  if (hex === undefined || !/^[0-9A-F]{8}$/i.test(hex)) return null;
  const bytes = hex.match(/../g) ?? [];
  return bytes.reduceRight((sum, byte) => sum * 256 + Number.parseInt(byte, 16), 0);
}

/** Docker refuses an overlap with its own networks only; the host's routes and interfaces are ours to avoid. */
async function takenRanges(engine: Engine): Promise<Range[]> {
  const interfaces = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((entry) => entry.family === 'IPv4' && entry.cidr !== null)
    .map((entry) => parseRange(entry.cidr ?? ''));
  const networks = await engine.call('listing networks', () => engine.docker.listNetworks());
  const docker = networks
    .flatMap((network) => network.IPAM?.Config ?? [])
    .map((config) => config.Subnet)
    .filter((subnet): subnet is string => subnet !== undefined && /^[\d.]+\/\d+$/.test(subnet))
    .map(parseRange);
  return [...interfaces, ...docker, ...hostRoutes()];
}

function hostRoutes(): Range[] {
  try {
    return routeRanges(readFileSync('/proc/net/route', 'utf8'));
  } catch {
    return [];
  }
}

function isOverlap(error: unknown): boolean {
  const status = dockerStatus(error);
  return (
    (status === 403 || status === 400 || status === 409 || status === 500) &&
    /overlap|conflicts with network/i.test(String(error))
  );
}
