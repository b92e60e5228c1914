/** Members of a group on the simulated cluster: three nodes, orders/0, a group log that the coordinator keeps; virtual time. */
import { describe, expect, it } from 'vitest';
import { createSimulatedMemberFactory } from '../../../../src/clients/simulated/index.ts';
import {
  createWireAuditClient,
  createWireReaderFactory,
} from '../../../../src/clients/wire/index.ts';
import { addressOf } from '../../../../src/clusters/simulated/addresses.ts';
import { ClientProcesses } from '../../../../src/clusters/simulated/client-processes.ts';
import { groupLog } from '../../../../src/clusters/simulated/group-log.ts';
import type { MemberClient, RebalanceTold } from '../../../../src/spi/client.ts';
import type { NodeId } from '../../../../src/spi/cluster.ts';
import { ModelClient } from '../../../support/model-client.ts';
import { ModelCluster, orders } from '../../../support/model-cluster.ts';

interface Seat {
  readonly client: MemberClient;
  readonly told: RebalanceTold[];
}

class Room {
  readonly clients = new ClientProcesses();
  readonly #nodes = [1, 2, 3].map((id) => ({ id, clientAddress: `${addressOf(id).host}:9092` }));
  readonly #members;

  readonly model: ModelCluster;
  readonly auditor;

  private constructor(
    model: ModelCluster,
    { fromBeginning = true, defects = [] as readonly string[] } = {},
  ) {
    this.model = model;
    const wire = {
      nodes: this.#nodes,
      clock: model.clock,
      link: ({ id }: { readonly id: NodeId }) => model.link(id),
    };
    this.#members = createSimulatedMemberFactory({
      ...wire,
      readers: createWireReaderFactory(wire),
      process: (name) => this.clients.start(name),
      fromBeginning,
      defects: new Set(defects),
    });
    this.auditor = createWireAuditClient(wire);
  }

  static async open(options: { fromBeginning?: boolean; defects?: readonly string[] } = {}) {
    return new Room(await ModelCluster.start({ defects: options.defects ?? [] }), options);
  }

  /** One that has been given orders/0, or, if others are there, has joined. */
  async seat(name: string): Promise<Seat> {
    const told: RebalanceTold[] = [];
    const client = await this.#members.create(name, 'g', (news) => told.push(news));
    await this.model.drive(client.subscribe(['orders']));
    await this.until(() => told.length > 0);
    return { client, told };
  }

  /** Lets time pass for members too, whose work goes on between events. */
  advance(ms: number): Promise<boolean> {
    return this.model.drive(this.model.clock.sleep(ms));
  }

  async until(holds: () => boolean): Promise<void> {
    for (let passedMs = 0; !holds(); passedMs += 20) {
      expect(passedMs).toBeLessThan(30_000);
      await this.advance(20);
    }
  }

  poll({ client }: Seat) {
    return this.model.drive(client.poll());
  }

  /** Polls until something comes. */
  async read(seat: Seat): Promise<readonly unknown[]> {
    for (let attempt = 0; attempt < 50; attempt++) {
      const outcome = await this.poll(seat);
      if (outcome.type !== 'ok') continue;
      const records = outcome.value[orders] ?? [];
      if (records.length > 0) return records.map(([offset]) => offset);
    }
    return [];
  }

  coordinator(): NodeId {
    const images = [...this.model.nodes.values()].flatMap(({ broker }) =>
      broker === null ? [] : [broker.image],
    );
    const states = images.flatMap(({ partitions }) => partitions.get(groupLog) ?? []);
    return states.sort((a, b) => b.leaderEpoch - a.leaderEpoch)[0]?.leader ?? -1;
  }
}

const write = async (room: Room, ...values: string[]): Promise<void> => {
  for (const value of values) await new ModelClient(room.model, 1).produce([value]);
};

describe('a member', () => {
  it('is given the logs of its topics, begins at the beginning, and goes on where the group is', async () => {
    const room = await Room.open();
    await write(room, 'a', 'b', 'c');
    const first = await room.seat('first');
    expect(first.told).toMatchObject([{ generation: 1, assigned: [orders], revoked: [] }]);
    expect(await room.read(first)).toEqual([0, 1, 2]);
    const committed = await room.model.drive(first.client.commit({ [orders]: 2 }));
    expect(committed).toEqual({ type: 'ok', value: first.client.identity() });
    expect(await room.model.drive(first.client.close())).toEqual({ type: 'ok', value: null });
    const second = await room.seat('second');
    expect(await room.read(second)).toEqual([2]);
    const read = await room.model.drive(room.auditor.committed('g', [orders]));
    expect(read).toEqual({ type: 'ok', value: { [orders]: 2 } });
    expect(await room.model.drive(second.client.committed([orders]))).toEqual(read);
  });

  it('without a commit begins at the end where the group is told to', async () => {
    const room = await Room.open({ fromBeginning: false });
    await write(room, 'a', 'b');
    const seat = await room.seat('late');
    await room.poll(seat);
    await room.advance(1_000);
    await write(room, 'c');
    expect(await room.read(seat)).toEqual([2]);
  });

  it('that dies is missed after its session; who takes over goes on behind its last commit', async () => {
    const room = await Room.open();
    await write(room, 'a', 'b');
    const first = await room.seat('first');
    expect(await room.read(first)).toEqual([0, 1]);
    await room.model.drive(first.client.commit({ [orders]: 1 }));
    await first.client[Symbol.asyncDispose]();
    expect(room.clients.port(room.model.kernel).names()).toEqual([]);
    const second = await room.seat('second');
    expect(second.told).toMatchObject([{ assigned: [orders] }]);
    expect(await room.read(second)).toEqual([1]);
  });

  it('that is frozen beyond its session wakes as a zombie: its commit is refused, and it loses what it had', async () => {
    const room = await Room.open();
    await write(room, 'a');
    const first = await room.seat('first');
    const port = room.clients.port(room.model.kernel);
    await room.model.drive(port.pause('first'));
    expect(await room.model.drive(port.state('first'))).toEqual({ frozen: true });
    const second = await room.seat('second');
    expect(second.told).toMatchObject([{ generation: 2, assigned: [orders] }]);
    const commit = first.client.commit({ [orders]: 1 });
    await room.advance(1_000);
    await room.model.drive(port.resume('first'));
    expect(await room.model.drive(commit)).toMatchObject({
      type: 'fail',
      error: { code: 'UNKNOWN_MEMBER_ID' },
    });
    await room.until(() => first.told.length > 1);
    expect(first.told[1]).toMatchObject({ assigned: [], lost: [orders] });
    expect(await room.model.drive(port.state('nobody'))).toBeNull();
  });

  it('keeps its place through the end of its coordinator', async () => {
    const room = await Room.open();
    await write(room, 'a', 'b');
    const seat = await room.seat('first');
    await room.read(seat);
    await room.model.drive(seat.client.commit({ [orders]: 2 }));
    const coordinator = room.coordinator();
    expect(coordinator).toBe(3);
    room.model.kill(coordinator);
    await room.until(() => ![3, -1].includes(room.coordinator()));
    await room.advance(2_000);
    const read = await room.model.drive(room.auditor.committed('g', [orders]));
    expect(read).toEqual({ type: 'ok', value: { [orders]: 2 } });
    expect(seat.told).toHaveLength(1);
    expect(await room.model.drive(seat.client.commit({ [orders]: 1 }))).toMatchObject({
      type: 'ok',
    });
  });

  it('gets nothing from a coordinator that is cut off from the controllers', async () => {
    const room = await Room.open();
    const seat = await room.seat('first');
    room.model.isolate(3);
    await room.advance(1_500);
    const commit = room.model.drive(seat.client.commit({ [orders]: 0 }));
    expect((await commit).type).toBe('info');
    room.model.heal(3);
    await room.advance(10_000);
    expect(await room.model.drive(room.auditor.committed('g', [orders]))).toMatchObject({
      type: 'ok',
    });
  });
});

describe('members', () => {
  it('share what there is: the second takes over from the first, who is told to give up', async () => {
    const room = await Room.open();
    const first = await room.seat('first');
    const second = await room.seat('second');
    await room.until(() => first.told.length === 3);
    expect(first.told[1]).toMatchObject({ revoked: [orders] });
    const owners = [first, second].filter(({ told }) => told.at(-1)?.assigned.length === 1);
    expect(owners).toHaveLength(1);
    expect(first.told.at(-1)?.generation).toBe(second.told.at(-1)?.generation);
  });

  it('with a defect commit what nobody has read, or begin one late', async () => {
    const ahead = await Room.open({ defects: ['commits-ahead'] });
    await write(ahead, 'a', 'b');
    const seat = await ahead.seat('first');
    await ahead.advance(500);
    await ahead.model.drive(seat.client.commit({ [orders]: 0 }));
    const read = await ahead.model.drive(ahead.auditor.committed('g', [orders]));
    expect(read).toEqual({ type: 'ok', value: { [orders]: 2 } });
    expect(await ahead.read(seat)).toEqual([0, 1]);

    const late = await Room.open({ defects: ['begins-one-late'] });
    await write(late, 'a', 'b', 'c');
    const first = await late.seat('first');
    await late.read(first);
    await late.model.drive(first.client.commit({ [orders]: 1 }));
    await late.model.drive(first.client.close());
    expect(await late.read(await late.seat('second'))).toEqual([2]);
  });
});
