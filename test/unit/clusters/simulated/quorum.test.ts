import { describe, expect, it } from 'vitest';
import type { QuorumEntry } from '../../../../src/clusters/simulated/quorum.ts';
import type { NodeId } from '../../../../src/spi/cluster.ts';
import { ModelQuorum } from '../../../support/model-quorum.ts';

function elected(): { readonly quorum: ModelQuorum; readonly leader: NodeId } {
  const quorum = new ModelQuorum('1');
  quorum.until(() => quorum.leading().length === 1);
  quorum.advance(1_000);
  const [leader = 0] = quorum.leading();
  return { quorum, leader };
}

const proposals = (log: readonly QuorumEntry[]): readonly unknown[] =>
  log.flatMap(({ record }) => (record.kind === 'producer-ids' ? [record.next] : []));

describe('an election', () => {
  it('ends with one leader that all know, and its first entry committed everywhere', () => {
    const { quorum, leader } = elected();
    for (const { quorum: part } of quorum.voters.values()) {
      expect(part).toMatchObject({ leader, committed: 1 });
    }
    expect(quorum.committed).toEqual([
      { term: quorum.voter(leader).disk.term, record: { kind: 'no-op' } },
    ]);
    quorum.advance(60_000);
    expect(quorum.leaders.size).toBe(1);
  });

  it('follows a leader’s death within seconds; the old one comes back as a follower', () => {
    const { quorum, leader } = elected();
    quorum.kill(leader);
    quorum.until(() => quorum.leading().length === 1, 5_000);
    expect(quorum.leading()).not.toEqual([leader]);
    quorum.start(leader);
    quorum.advance(2_000);
    expect(quorum.voter(leader).quorum?.leader).toBe(quorum.leading()[0]);
    expect(quorum.leaders.size).toBe(2);
  });

  it('does not happen without a majority', () => {
    const { quorum, leader } = elected();
    const others = [1, 2, 3].filter((id) => id !== leader);
    for (const other of others) quorum.kill(other);
    quorum.advance(30_000);
    expect(quorum.leading()).toEqual([]);
    expect(quorum.resigned).toEqual([leader]);
    quorum.start(others[0]!);
    quorum.until(() => quorum.leading().length === 1, 10_000);
  });

  it('never makes a leader of who lacks a committed entry', () => {
    const { quorum, leader } = elected();
    const [behind = 0, ahead = 0] = [1, 2, 3].filter((id) => id !== leader);
    quorum.isolate(behind);
    quorum.propose();
    quorum.advance(500);
    expect(proposals(quorum.committed)).toEqual([1]);
    quorum.kill(leader);
    quorum.network.heal(`isolated-${behind}`);
    quorum.until(() => quorum.leading().length === 1);
    expect(quorum.leading()).toEqual([ahead]);
    expect(proposals(quorum.voter(behind).disk.log)).toEqual([1]);
  });
});

describe('a leader that is cut off', () => {
  it('commits nothing, resigns, and its log is repaired when it comes back', () => {
    const { quorum, leader } = elected();
    quorum.isolate(leader);
    quorum.propose();
    quorum.until(() => quorum.resigned.length > 0, 4_000);
    expect(quorum.resigned).toEqual([leader]);
    expect(proposals(quorum.voter(leader).disk.log)).toEqual([1]);
    quorum.until(() => quorum.leading().length === 1);
    quorum.propose();
    quorum.advance(500);
    expect(proposals(quorum.committed)).toEqual([2]);
    quorum.network.heal(`isolated-${leader}`);
    quorum.advance(15_000);
    for (const { disk } of quorum.voters.values()) expect(proposals(disk.log)).toEqual([2]);
  });

  it('one way, so that it hears nobody, resigns too', () => {
    const { quorum, leader } = elected();
    const peers = [1, 2, 3].filter((id) => id !== leader);
    quorum.network.cut(
      'deaf',
      peers.map((peer) => ({ at: leader, peer, planes: ['controller'], directions: ['in'] })),
    );
    quorum.until(() => quorum.resigned.length > 0, 4_000);
    expect(quorum.resigned[0]).toBe(leader);
  });
});

describe('a frozen leader', () => {
  it('finds another one when it is thawed', () => {
    const { quorum, leader } = elected();
    const { process } = quorum.voter(leader);
    process.freeze();
    quorum.until(() => quorum.leading().length === 2, 10_000);
    process.thaw();
    quorum.advance(1_500);
    expect(quorum.leading()).toHaveLength(1);
    expect(quorum.resigned).toEqual([leader]);
  });
});

describe('a quorum of one', () => {
  it('elects itself and commits at once', () => {
    const quorum = new ModelQuorum('1', [1]);
    quorum.until(() => quorum.leading().length === 1);
    quorum.propose();
    expect(proposals(quorum.committed)).toEqual([1]);
  });
});

it('a restart forgets neither term nor vote nor log', () => {
  const { quorum, leader } = elected();
  quorum.propose();
  quorum.advance(500);
  const before = structuredClone(quorum.voter(leader).disk);
  for (const id of [1, 2, 3]) quorum.kill(id);
  quorum.advance(1_000);
  for (const id of [1, 2, 3]) quorum.start(id);
  expect(quorum.voter(leader).disk).toEqual(before);
  quorum.until(() => quorum.leading().length === 1);
  quorum.advance(1_000);
  expect(quorum.voter(leader).disk.term).toBeGreaterThan(before.term);
  expect(proposals(quorum.committed)).toEqual([1]);
});
