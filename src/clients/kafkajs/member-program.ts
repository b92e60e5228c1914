/**
 * A member as a process of its own: JSON lines in, JSON lines out (member-protocol.ts). Its first line in says who it is; it ends
 * with its standard input.
 */
import { createInterface } from 'node:readline';
import { createRealClock } from '../../core/clock.ts';
import { describeError } from '../../core/errors.ts';
import type { MemberClient, Outcome } from '../../spi/client.ts';
import { createKafkajsMember } from './member.ts';
import type { MemberAnswer, MemberRequest } from './member-protocol.ts';

const say = (answer: MemberAnswer): void => {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
};

let member: MemberClient | null = null;
/** Rebalances so far, also those that are still to be said. */
let told = 0;

async function perform(request: MemberRequest): Promise<Outcome<unknown>> {
  if (request.do === 'create') {
    const { name, group, nodes, fromBeginning } = request;
    member = await createKafkajsMember({
      name,
      group,
      nodes,
      fromBeginning,
      clock: createRealClock(),
      told: (rebalance) => {
        told += 1;
        const news: MemberAnswer = { told: rebalance, identity: member?.identity() ?? {} };
        // What a poll has taken by now is answered first: the answer is on its way through promises alone.
        setImmediate(() => {
          say(news);
        });
      },
      log: (line) => {
        process.stderr.write(`${line}\n`);
      },
    });
    return { type: 'ok', value: null };
  }
  if (member === null) throw new Error('the first request creates the member');
  switch (request.do) {
    case 'subscribe':
      return member.subscribe(request.topics);
    case 'poll':
      return request.heard === told ? member.poll() : { type: 'ok', value: {} };
    case 'commit':
      return member.commit(request.offsets);
    case 'committed':
      return member.committed(request.logs);
    case 'close':
      return member.close();
  }
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const { id, request } = JSON.parse(line) as {
    readonly id: number;
    readonly request: MemberRequest;
  };
  perform(request).then(
    (outcome) => {
      say({ id, outcome, identity: member?.identity() ?? {} });
    },
    (thrown: unknown) => {
      say({ id, failed: describeError(thrown) });
    },
  );
});
lines.on('close', () => {
  process.exit(0);
});
