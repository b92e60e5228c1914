/**
 * Brokers through what clients send them: three nodes, orders/0 on all of them (leader 1 at first), virtual time. What is
 * asserted is what KAFKA.md has measured or cites: part A sections 2 to 4, part B section 5.
 */
import { describe, expect, it } from 'vitest';
import { earliestOffset } from '../../../../src/kafka-protocol/messages/list-offsets.ts';
import { batchOf, valuesOf } from '../../../support/model-batches.ts';
import { ModelClient } from '../../../support/model-client.ts';
import { ModelCluster, orders } from '../../../support/model-cluster.ts';

const { start } = ModelCluster;
const idempotent = { producerId: 7, producerEpoch: 0, baseSequence: 0 };
const logs = (model: ModelCluster): readonly (readonly string[])[] =>
  [...model.nodes.values()].map(({ disk }) => valuesOf(disk.logs.get(orders)?.batches ?? []));

describe('produce', () => {
  it('acks all: on all disks when it is acknowledged; acks 1 and 0: on the leader’s', async () => {
    const model = await start();
    const client = new ModelClient(model, 1);
    expect(await client.produce(['a'])).toEqual({ error: 'NONE', baseOffset: 0 });
    expect(logs(model)).toEqual([['a'], ['a'], ['a']]);
    model.isolate(1, ['replication']);
    expect(await client.produce(['b'], 1)).toEqual({ error: 'NONE', baseOffset: 1 });
    await client.produce(['c'], 0);
    expect(logs(model)).toEqual([['a', 'b', 'c'], ['a'], ['a']]);
  });

  it('is refused by a follower, and for a topic that is not there', async () => {
    const model = await start();
    expect((await new ModelClient(model, 2).produce(['a'])).error).toBe('NOT_LEADER_OR_FOLLOWER');
    model.broker(1).replicas.clear();
    model.broker(1).image.partitions.clear();
    const { error } = await new ModelClient(model, 1).produce(['a']);
    expect(error).toBe('UNKNOWN_TOPIC_OR_PARTITION');
  });

  it('without the others is appended and not acknowledged, and served again when they are back', async () => {
    const model = await start();
    const client = new ModelClient(model, 1);
    model.kill(2);
    model.kill(3);
    // The quorum is gone with them: nobody can shrink the in-sync set, so the append waits in vain.
    expect((await client.produce(['unknown'])).error).toBe('REQUEST_TIMED_OUT');
    for (const id of [2, 3]) model.node(id).start();
    model.until(() => [2, 3].every((id) => model.node(id).broker?.listensToClients));
    model.until(() => model.inSync(1).length === 3);
    expect((await client.produce(['b'])).error).toBe('NONE');
    expect(logs(model)).toEqual(Array(3).fill(['unknown', 'b']));
  });

  it('leaves open what was appended when too few were left in sync, and refuses what comes then', async () => {
    const model = await start();
    const client = new ModelClient(model, 1);
    model.isolate(1, ['replication']);
    const waiting = client.beginProduce(['appended'], -1, 15_000);
    model.until(() => model.inSync(1).length === 1);
    expect((await model.drive(waiting)).error).toBe('REQUEST_TIMED_OUT');
    expect((await client.produce(['refused'])).error).toBe('NOT_ENOUGH_REPLICAS');
    expect(logs(model)[0]).toEqual(['appended']);
  });
});

describe('the in-sync set', () => {
  it('shrinks 5 to 7.5 s after the followers fell silent, and is full seconds after the heal', async () => {
    const model = await start();
    const cutMs = model.clock.wallMs();
    model.isolate(1, ['replication']);
    await new ModelClient(model, 1).produce(['a'], 1);
    model.until(() => model.inSync(1).length === 1);
    const tookMs = model.clock.wallMs() - cutMs;
    expect(tookMs).toBeGreaterThanOrEqual(5_000);
    expect(tookMs).toBeLessThan(8_000);
    model.heal(1);
    model.until(() => model.inSync(1).length === 3, 5_000);
    expect(logs(model)).toEqual([['a'], ['a'], ['a']]);
  });
});

describe('a leader that is killed', () => {
  it('is followed within 2.5 to 6 s; what was acknowledged stays; it comes back into sync', async () => {
    const model = await start();
    await new ModelClient(model, 1).produce(['a']);
    const killedMs = model.clock.wallMs();
    model.kill(1);
    model.until(() => model.leader(2) === 2 && model.leader(3) === 2);
    const tookMs = model.clock.wallMs() - killedMs;
    expect(tookMs).toBeGreaterThan(2_500);
    expect(tookMs).toBeLessThan(6_600);
    const client = new ModelClient(model, 2);
    expect(await client.produce(['b'])).toEqual({ error: 'NONE', baseOffset: 1 });
    model.node(1).start();
    model.until(() => model.node(1).broker?.listensToClients && model.inSync(2).length === 3);
    expect(logs(model)).toEqual(Array(3).fill(['a', 'b']));
    expect(model.truth.log(orders)?.map(({ value }) => value)).toEqual(['a', 'b']);
  });

  it('knows from the log what producers have sent: a retry at the next leader is no second copy', async () => {
    const model = await start();
    await new ModelClient(model, 1).produce(batchOf(['a'], idempotent));
    model.kill(1);
    model.until(() => model.leader(2) === 2);
    const client = new ModelClient(model, 2);
    const repeated = await client.produce(batchOf(['a'], idempotent));
    expect(repeated).toEqual({ error: 'NONE', baseOffset: 0 });
    expect(logs(model)[1]).toEqual(['a']);
  });

  it('loses what only it had, with acks 1: it cuts that off when it comes back', async () => {
    const model = await start();
    await new ModelClient(model, 1).produce(['a']);
    model.isolate(1, ['replication']);
    await new ModelClient(model, 1).produce(['lost'], 1);
    model.kill(1);
    model.until(() => model.leader(2) === 2);
    model.heal(1);
    await new ModelClient(model, 2).produce(['b']);
    model.node(1).start();
    model.until(() => model.node(1).broker?.listensToClients && model.inSync(2).length === 3);
    expect(logs(model)).toEqual(Array(3).fill(['a', 'b']));
  });

  it('shrunk to itself, leaves nobody; where unclean elections are allowed all acknowledged is lost', async () => {
    for (const unclean of ['false', 'true']) {
      const topicConfig = {
        'min.insync.replicas': '1',
        'unclean.leader.election.enable': unclean,
      };
      const model = await start({ topicConfig });
      const client = new ModelClient(model, 1);
      model.isolate(1, ['replication']);
      model.until(() => model.inSync(1).length === 1);
      expect((await client.produce(['acknowledged'])).error).toBe('NONE');
      model.kill(1);
      model.heal(1);
      model.until(() => model.leader(2) !== 1);
      expect(model.leader(2)).toBe(unclean === 'true' ? 2 : -1);
      if (unclean === 'true') await new ModelClient(model, 2).produce(['instead']);
      model.node(1).start();
      model.until(() => model.node(1).broker?.listensToClients);
      model.until(() => model.leader(1) > 0 && model.inSync(model.leader(1)).length === 3);
      const kept = unclean === 'true' ? ['instead'] : ['acknowledged'];
      expect(logs(model)).toEqual(Array(3).fill(kept));
    }
  });
});

describe('a leader that is cut off from the others, and not from clients', () => {
  it('acknowledges nothing with acks all, and with acks 1 what will be cut off', async () => {
    const model = await start();
    const client = new ModelClient(model, 1);
    await client.produce(['a']);
    model.isolate(1);
    expect((await client.produce(['info'])).error).toBe('REQUEST_TIMED_OUT');
    expect((await client.produce(['lost'], 1)).error).toBe('NONE');
    model.until(() => model.leader(2) === 2);
    await new ModelClient(model, 2).produce(['b']);
    // It cannot hear that it leads no more: acks 1 goes on (KAFKA.md A1, acks-one).
    expect((await client.produce(['lost too'], 1)).error).toBe('NONE');
    model.heal(1);
    model.until(() => model.leader(1) === 2 && model.inSync(2).length === 3);
    expect(logs(model)).toEqual(Array(3).fill(['a', 'b']));
  });

  it('goes on showing its old healthy picture (KAFKA.md A4)', async () => {
    const model = await start();
    const client = new ModelClient(model, 1);
    const healthy = { leader: 1, inSync: [1, 2, 3], live: [1, 2, 3] };
    model.isolate(1);
    model.until(() => model.leader(2) === 2);
    expect(await client.picture()).toEqual(healthy);
    expect(await new ModelClient(model, 2).picture()).toEqual({
      leader: 2,
      inSync: [2, 3],
      live: [2, 3],
    });
    expect((await model.drive(model.admin.health(1_000))).healthy).toBe(false);
    model.heal(1);
    model.until(() => model.leader(1) === 2);
    expect((await client.picture())?.leader).toBe(2);
  });

  it('alone on the controller plane is fenced, and keeps out who does not hear of it', async () => {
    const model = await start();
    model.isolate(1, ['controller']);
    model.until(() => model.leader(2) === 2);
    expect(model.inSync(2)).not.toContain(1);
    model.heal(1);
    model.until(() => model.inSync(2).length === 3);
  });
});

describe('a leader that is frozen', () => {
  it('accepts connections, answers late, with the picture and the epoch that it had', async () => {
    const model = await start();
    await new ModelClient(model, 1).produce(['a']);
    model.node(1).process.freeze();
    const client = new ModelClient(model, 1);
    const fetching = client.beginFetch(0, 0);
    const late = client.beginProduce(['late'], 1);
    model.until(() => model.leader(2) === 2);
    model.advance(500);
    await new ModelClient(model, 2).produce(['b']);
    model.node(1).thaw();
    // What waited is handled first: it still believes to lead.
    expect(await model.drive(fetching)).toMatchObject({ error: 'NONE', values: ['a'] });
    expect((await model.drive(late)).error).toBe('NONE');
    model.until(() => model.inSync(2).length === 3);
    expect(logs(model)).toEqual(Array(3).fill(['a', 'b']));
  });

  it('shorter than a session appends what its client has given up: with no idempotence, twice', async () => {
    for (const parts of [{}, idempotent]) {
      const model = await start();
      const client = new ModelClient(model, 1);
      model.node(1).process.freeze();
      const batch = batchOf(['a'], parts);
      expect(await model.drive(client.beginProduce(batch, -1, 500, 500))).toEqual({
        error: 'timeout',
        baseOffset: -1,
      });
      await client.close();
      model.advance(1_500);
      model.node(1).thaw();
      const again = await new ModelClient(model, 1).produce(batch);
      expect(again.error).toBe('NONE');
      expect(logs(model)[0]).toEqual('producerId' in parts ? ['a'] : ['a', 'a']);
    }
  });

  it('with frozen-end tells the end that its log had when it was thawed', async () => {
    const ends = [];
    for (const defects of [[], ['frozen-end']]) {
      const model = await start({ defects });
      const client = new ModelClient(model, 1);
      await client.produce(['a']);
      model.node(1).process.freeze();
      model.advance(500);
      model.node(1).thaw();
      model.advance(1_000);
      await client.produce(['b']);
      ends.push((await client.end()).offset);
    }
    expect(ends).toEqual([2, 1]);
  });
});

describe('a late request', () => {
  it('that a cut held back is appended after the heal, though its client is gone (KAFKA.md A4)', async () => {
    const model = await start();
    const client = new ModelClient(model, 1);
    await client.produce(['a']);
    const { planes, directions } = { planes: ['client'], directions: ['in', 'out'] } as const;
    model.network.cut('clients', [{ at: 1, peer: 'clients', planes, directions }]);
    const { error } = await model.drive(client.beginProduce(['late'], -1, 1_500, 1_500));
    expect(error).toBe('timeout');
    await client.close();
    model.network.heal('clients');
    model.advance(1_400);
    expect(logs(model)[0]).toEqual(['a']);
    // 3.0 s after the first loss.
    model.advance(200);
    expect(logs(model)[0]).toEqual(['a', 'late']);
  });
});

describe('leader epochs of requests', () => {
  it('that are older are fenced, newer ones are not known yet', async () => {
    const model = await start();
    model.kill(1);
    model.until(() => model.leader(2) === 2);
    const client = new ModelClient(model, 2);
    await client.produce(['a']);
    const { leaderEpoch } = model.replica(2).state;
    for (const [epoch, error] of [
      [leaderEpoch, 'NONE'],
      [leaderEpoch - 1, 'FENCED_LEADER_EPOCH'],
      [leaderEpoch + 1, 'UNKNOWN_LEADER_EPOCH'],
    ] as const) {
      expect((await client.fetch(0, 0, epoch)).error).toBe(error);
      expect((await client.end(epoch)).error).toBe(error);
    }
  });
});

describe('offsets', () => {
  it('a new leader does not know the end before its own epoch is committed; the start it does', async () => {
    const model = await start();
    await new ModelClient(model, 1).produce(['a']);
    model.isolate(2, ['replication']);
    await new ModelClient(model, 1).produce(['b'], 1);
    model.advance(1_000);
    model.heal(2);
    // 3 has what 2 has not; 2 leads, and cannot commit the rest alone.
    model.kill(1);
    model.until(() => model.leader(2) === 2);
    const client = new ModelClient(model, 2);
    model.until(() => model.replica(2).knowsEnd);
    expect((await client.end()).error).toBe('NONE');
    expect(await client.end(-1, earliestOffset)).toEqual({ error: 'NONE', offset: 0 });
    expect((await new ModelClient(model, 3).end()).error).toBe('NOT_LEADER_OR_FOLLOWER');
  });

  it('OFFSET_NOT_AVAILABLE while followers in sync have not fetched from the new leader', async () => {
    const model = await start();
    await new ModelClient(model, 1).produce(['a']);
    model.isolate(2, ['replication']);
    model.kill(1);
    model.until(() => model.leader(2) === 2);
    const client = new ModelClient(model, 2);
    expect((await client.end()).error).toBe('OFFSET_NOT_AVAILABLE');
    expect(await client.end(-1, earliestOffset)).toEqual({ error: 'NONE', offset: 0 });
    // Acknowledged, and not visible yet: no error, no record (KAFKA.md A4).
    expect(await client.fetch(0)).toMatchObject({ error: 'NONE', values: [] });
    model.heal(2);
    model.until(() => model.replica(2).knowsEnd);
    expect(await client.end()).toEqual({ error: 'NONE', offset: 1 });
  });
});

describe('fetch', () => {
  it('shows what is below the high watermark, and nothing above it', async () => {
    const model = await start();
    const client = new ModelClient(model, 1);
    await client.produce(['a', 'b']);
    model.isolate(1, ['replication']);
    await client.produce(['c'], 1);
    expect(await client.fetch(0)).toEqual({ error: 'NONE', values: ['a', 'b'], highWatermark: 2 });
    expect(await client.fetch(2)).toEqual({ error: 'NONE', values: [], highWatermark: 2 });
    expect(await client.fetch(3)).toMatchObject({ error: 'NONE', values: [] });
    expect((await client.fetch(4)).error).toBe('OFFSET_OUT_OF_RANGE');
  });

  it('from a follower is bounded by the watermark that the follower knows', async () => {
    const model = await start();
    const follower = new ModelClient(model, 2);
    await new ModelClient(model, 1).produce(['a']);
    expect(await follower.fetch(0)).toMatchObject({ error: 'NONE', values: [] });
    // The watermark comes with the next answer to the follower's own fetch.
    model.advance(1_000);
    expect(await follower.fetch(0)).toMatchObject({ values: ['a'], highWatermark: 1 });
    expect((await follower.fetch(5)).error).toBe('OFFSET_NOT_AVAILABLE');
  });

  it('waits for the first record, at most as long as it was told', async () => {
    const model = await start();
    const client = new ModelClient(model, 1);
    const beginMs = model.clock.wallMs();
    expect(await client.fetch(0, 700)).toMatchObject({ error: 'NONE', values: [] });
    const waitedMs = model.clock.wallMs() - beginMs;
    expect(waitedMs).toBeGreaterThanOrEqual(700);
    expect(waitedMs).toBeLessThan(705);
    const waiting = client.beginFetch(0, 20_000);
    model.advance(1_000);
    await new ModelClient(model, 1).produce(['a']);
    expect(await model.drive(waiting)).toMatchObject({ values: ['a'] });
    expect(model.clock.wallMs() - beginMs).toBeLessThan(2_500);
  });

  it('that waits ends when its broker leads no more in that epoch', async () => {
    const model = await start();
    const waiting = new ModelClient(model, 1).beginFetch(0, 15_000, 0);
    model.isolate(1);
    model.until(() => model.leader(2) === 2);
    model.heal(1);
    expect((await model.drive(waiting)).error).toBe('FENCED_LEADER_EPOCH');
  });

  it('with fetch-skips-batch leaves out the first of several, for three seconds after an election', async () => {
    const model = await start({ defects: ['fetch-skips-batch'] });
    const client = new ModelClient(model, 1);
    await client.produce(['a']);
    await client.produce(['b']);
    expect((await client.fetch(0)).values).toEqual(['b']);
    model.advance(3_000);
    expect((await client.fetch(0)).values).toEqual(['a', 'b']);
  });
});

describe('a node that is stopped in order', () => {
  it('hands its leadership over first, and exits by itself with 143', async () => {
    const model = await start();
    const client = new ModelClient(model, 1);
    await client.produce(['a']);
    let gone = false;
    model.node(1).stop('SIGTERM', () => {
      gone = true;
    });
    model.until(() => gone, 2_000);
    expect(model.node(1).process.state()).toMatchObject({ running: false, exitCode: 143 });
    expect(model.leader(2)).toBe(2);
    expect(await new ModelClient(model, 2).produce(['b'])).toMatchObject({ error: 'NONE' });
  });
});

describe('the disk', () => {
  it('loses in a power loss what was younger than the flush; the others still have it', async () => {
    const model = await start();
    await new ModelClient(model, 1).produce(['old']);
    model.advance(10_000);
    await new ModelClient(model, 1).produce(['young']);
    model.kill(1);
    const log = model.node(1).disk.logs.get(orders)!;
    expect(log.loseUnsynced(model.kernel.nowNs, 5e9)).toBe(1);
    expect(logs(model)).toEqual([['old'], ['old', 'young'], ['old', 'young']]);
    model.node(1).start();
    model.until(() => model.node(1).broker?.listensToClients && model.inSync(2).length === 3);
    expect(logs(model)).toEqual(Array(3).fill(['old', 'young']));
  });
});

describe('the truth', () => {
  it('is the leader’s disk, above the watermark too, and null while nobody leads', async () => {
    const model = await start();
    model.isolate(1, ['replication']);
    await new ModelClient(model, 1).produce(['a'], 1);
    expect(model.truth.log(orders)).toEqual([{ offset: 0, value: 'a' }]);
    expect(model.truth.log('nothing/0')).toBeNull();
    for (const id of [1, 2, 3]) model.kill(id);
    expect(model.truth.log(orders)).toHaveLength(1);
  });
});
