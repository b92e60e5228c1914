/** Connections to a server that answers when the test says so. */
import { describe, expect, it } from 'vitest';
import {
  Connections,
  type Connection,
  type Server,
} from '../../../../src/clusters/simulated/connection.ts';
import { Kernel } from '../../../../src/clusters/simulated/kernel.ts';
import { SimulatedLink } from '../../../../src/clusters/simulated/links.ts';
import { clientHost, Network } from '../../../../src/clusters/simulated/network.ts';
import { NodeProcess } from '../../../../src/clusters/simulated/node-process.ts';
import { Peers } from '../../../../src/clusters/simulated/peers.ts';
import { randomStream } from '../../../../src/core/random.ts';
import { metadata } from '../../../../src/kafka-protocol/messages/metadata.ts';
import { planes } from '../../../../src/spi/cluster.ts';
import { quietProfile } from '../../../../src/spi/simulation.ts';
import { advance } from '../../../support/model-cluster.ts';

interface Handled {
  readonly request: unknown;
  readonly respond: (response: unknown) => void;
}

class Scene {
  readonly kernel = new Kernel();
  readonly network = new Network(this.kernel, randomStream('1', 'network'), quietProfile);
  readonly connections = new Connections(this.network);
  readonly process = new NodeProcess(1, this.kernel, 0);
  readonly handled: Handled[] = [];
  listens = true;
  answersAtOnce = false;
  readonly server: Server = {
    process: this.process,
    listens: () => this.listens,
    handle: (_plane, request, respond) => {
      if (this.answersAtOnce) respond(request);
      else this.handled.push({ request, respond });
    },
  };

  constructor() {
    this.process.begin();
  }

  get requests(): readonly unknown[] {
    return this.handled.map(({ request }) => request);
  }

  advance(ms = 5): void {
    advance(this.kernel, ms);
  }

  open(onEnd: () => void = () => undefined): Connection | null {
    let opened: Connection | null = null;
    const done = (connection: Connection | null): void => {
      opened = connection;
    };
    this.connections.open(clientHost, this.server, 'client', done, onEnd);
    this.advance();
    return opened;
  }

  kill(): void {
    this.process.end(137);
    this.connections.died(this.process);
  }

  cutClients(): void {
    const directions = ['in', 'out'] as const;
    this.network.cut('cut', [{ at: 1, peer: 'clients', planes, directions }]);
  }

  link(): SimulatedLink {
    return new SimulatedLink(this.kernel, this.connections, this.server);
  }
}

describe('a connection', () => {
  it('is refused by a dead process and by one that does not listen, accepted by a frozen one', () => {
    const scene = new Scene();
    scene.listens = false;
    expect(scene.open()).toBeNull();
    scene.listens = true;
    scene.process.freeze();
    expect(scene.open()?.open).toBe(true);
    scene.process.thaw();
    scene.kill();
    expect(scene.open()).toBeNull();
  });

  it('has its requests handled one at a time, and answered in order', () => {
    const scene = new Scene();
    const connection = scene.open()!;
    const answers: unknown[] = [];
    for (const request of ['a', 'b']) {
      connection.request({ request: request, answered: (answer) => answers.push(answer) });
    }
    scene.advance();
    expect(scene.requests).toEqual(['a']);
    scene.handled[0]!.respond('to a');
    scene.advance();
    expect(scene.requests).toEqual(['a', 'b']);
    scene.handled[1]!.respond('to b');
    scene.advance();
    expect(answers).toEqual(['to a', 'to b']);
  });

  it('has a long queue handled one after the other where each is answered at once', () => {
    const scene = new Scene();
    const connection = scene.open();
    const answers: unknown[] = [];
    const count = 20_000;
    for (let request = 0; request < count; request++) {
      connection!.request({ request: request, answered: (answer) => answers.push(answer) });
    }
    scene.advance(20);
    const [first] = scene.handled;
    scene.answersAtOnce = true;
    first!.respond(0);
    scene.advance(20);
    expect(answers).toEqual(Array.from({ length: count }, (_, request) => request));
  });

  it('delivers what was sent before it was closed, and tells nobody the answer', () => {
    const scene = new Scene();
    const connection = scene.open()!;
    const answers: unknown[] = [];
    scene.cutClients();
    connection.request({ request: 'late', answered: (answer) => answers.push(answer) });
    scene.advance(1_000);
    connection.close();
    expect(connection.open).toBe(false);
    scene.network.heal('cut');
    scene.advance(3_000);
    expect(scene.requests).toEqual(['late']);
    scene.handled[0]!.respond('unheard');
    scene.advance();
    expect(answers).toEqual([]);
  });

  it('tells its client when the process dies, once, and drops what was on its way', () => {
    const scene = new Scene();
    let ends = 0;
    const connection = scene.open(() => {
      ends += 1;
    })!;
    connection.request({ request: 'on its way', answered: () => undefined });
    scene.kill();
    scene.advance();
    expect(ends).toBe(1);
    expect(connection.open).toBe(false);
    expect(scene.requests).toEqual([]);
  });

  it('to an earlier life of the process is reset by the next one', () => {
    const scene = new Scene();
    let ended = false;
    const connection = scene.open(() => {
      ended = true;
    })!;
    scene.process.end(137);
    scene.process.begin();
    connection.request({ request: 'for the dead', answered: () => undefined });
    scene.advance();
    expect(ended).toBe(true);
    expect(scene.requests).toEqual([]);
  });
});

describe('a link', () => {
  const request = {
    topics: [],
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  };

  it('says how a call failed: refused, out of time, closed', async () => {
    const scene = new Scene();
    const { kernel } = scene;
    await using link = scene.link();
    scene.listens = false;
    expect(await kernel.drive(link.call(metadata, request, 500))).toMatchObject({
      status: 'refused',
    });
    scene.listens = true;
    expect(await kernel.drive(link.call(metadata, request, 500))).toEqual({
      status: 'timeout',
      message: 'node-1.simulated:9092: no answer in 500 ms',
    });
    const calling = link.call(metadata, request, 500);
    scene.advance();
    scene.kill();
    expect(await kernel.drive(calling)).toMatchObject({ status: 'closed' });
    await link[Symbol.asyncDispose]();
    expect(await link.call(metadata, request, 500)).toMatchObject({ status: 'closed' });
  });

  it('is refused a connection that takes longer than a second, though the call has longer', async () => {
    const scene = new Scene();
    await using link = scene.link();
    scene.cutClients();
    const result = await scene.kernel.drive(link.call(metadata, request, 5_000));
    expect(result.status).toBe('refused');
    expect(scene.kernel.nowNs).toBe(1e9);
  });

  it('that gave up in time opens another connection, and hears no late answer of the first', async () => {
    const scene = new Scene();
    await using link = scene.link();
    expect((await scene.kernel.drive(link.call(metadata, request, 100))).status).toBe('timeout');
    const again = link.call(metadata, request, 100);
    scene.advance();
    scene.handled[0]!.respond('late');
    scene.handled[1]!.respond('in time');
    expect(await scene.kernel.drive(again)).toEqual({ status: 'ok', value: 'in time' });
  });
});

describe('a call to a peer', () => {
  function peers(scene: Scene): { readonly caller: NodeProcess; readonly peers: Peers } {
    const caller = new NodeProcess(2, scene.kernel, 0);
    caller.begin();
    return { caller, peers: new Peers(caller, scene.connections, new Map([[1, scene.server]])) };
  }

  it('is answered, or null after its bound; a late answer is not heard', () => {
    const scene = new Scene();
    const answers: unknown[] = [];
    const { peers: calling } = peers(scene);
    calling.call(1, 'controller', 'in time', 100, (answer) => answers.push(answer));
    scene.advance();
    scene.handled[0]!.respond('yes');
    scene.advance();
    calling.call(1, 'controller', 'slow', 100, (answer) => answers.push(answer));
    scene.advance(200);
    scene.handled[1]!.respond('too late');
    scene.advance();
    expect(answers).toEqual(['yes', null]);
  });

  it('is null at once where nothing listens, and the next one connects again', () => {
    const scene = new Scene();
    const answers: unknown[] = [];
    const { peers: calling } = peers(scene);
    scene.listens = false;
    calling.call(1, 'controller', 'refused', 1_000, (answer) => answers.push(answer));
    scene.advance();
    expect(answers).toEqual([null]);
    scene.listens = true;
    calling.call(1, 'controller', 'heard', 1_000, () => undefined);
    scene.advance();
    expect(scene.requests).toEqual(['heard']);
  });

  it('waits in a frozen caller, and is lost with a dead one', () => {
    const scene = new Scene();
    const answers: unknown[] = [];
    const { caller, peers: calling } = peers(scene);
    calling.call(1, 'controller', 'first', 1_000, (answer) => answers.push(answer));
    scene.advance();
    caller.freeze();
    scene.handled[0]!.respond('waits');
    scene.advance();
    expect(answers).toEqual([]);
    caller.thaw();
    expect(answers).toEqual(['waits']);
    calling.call(1, 'controller', 'second', 1_000, (answer) => answers.push(answer));
    scene.advance();
    caller.end(137);
    caller.begin();
    scene.handled[1]!.respond('for the dead');
    scene.advance();
    expect(answers).toEqual(['waits']);
  });
});
