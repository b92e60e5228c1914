/**
 * Oracles of order. real-time-inversion by search: is there a total order of all appends and end reads that real time
 * allows and that a log could have gone through? nonmonotonic-*: every pair in program order.
 */
import { type Model, type ModelSend, type OracleAnswer } from './oracle-model.ts';
import { goneFrom, heldAt, isCompactedLog, spokenOf } from './oracle-scans.ts';
import { placesOf, proofsAt } from './oracle-loss.ts';

interface Element {
  /** Twice the offset plus one for appends, twice the end for end reads: a log only grows. */
  readonly key: number;
  readonly begun: number;
  readonly process: number;
  /** Upper bounds of when it happened, each measured in a process. */
  readonly done: readonly { readonly time: number; readonly process: number }[];
}

export function realTimeOracle(model: Model): OracleAnswer {
  const logs = ['t/0', 't/1'].map((log) => elementsOf(model, log));
  const found = logs.some((elements) => !isOrderable(model, elements));
  const inverted = logs.map(
    (elements) =>
      elements.filter((x) => elements.some((y) => y.key < x.key && mustPrecede(model, x, y)))
        .length,
  );
  return { found, count: inverted.reduce((a, b) => a + b) };
}

/** x had happened before y began. */
function mustPrecede(model: Model, x: Element, y: Element): boolean {
  return (
    x !== y &&
    x.done.some(({ time, process }) =>
      process === y.process ? time < y.begun : time + 2 * model.errorMs < y.begun,
    )
  );
}

function elementsOf(model: Model, log: string): readonly Element[] {
  const elements: Element[] = [];
  for (const send of model.sends) {
    for (const offset of placesOf(model, send, log)) {
      if (send.op.status === 'fail' || !isStanding(model, send, log, offset, 'acknowledged'))
        continue;
      const ends = proofsAt(model, send, log, offset);
      elements.push({
        key: 2 * offset + 1,
        begun: send.inv,
        process: send.op.process,
        done: ends.map((op) =>
          op.end < send.inv
            ? { time: send.inv, process: send.op.process }
            : { time: op.end, process: op.process },
        ),
      });
    }
  }
  for (const scan of model.scans.filter((s) => s.log === log)) {
    for (const { op, end, linearizable } of scan.chunks) {
      if (!linearizable || !model.acksAll) continue;
      const done = [{ time: op.end, process: op.process }];
      elements.push({ key: 2 * end, begun: op.inv, process: op.process, done });
    }
  }
  return elements;
}

/** Neither proved lost nor, if the answer to the send gave that place, contradicted by any scan. */
function isStanding(
  model: Model,
  send: ModelSend,
  log: string,
  offset: number,
  answers: 'acknowledged' | 'any',
): boolean {
  const counts = answers === 'any' || send.op.status === 'ok';
  if (counts && send.log === log && send.offset === offset) {
    const contradicted = model.scans.some(
      (scan) =>
        scan.log === log &&
        spokenOf(scan).includes(offset) &&
        !heldAt(scan, offset).includes(send.value) &&
        (!isCompactedLog(model, log) || heldAt(scan, offset).length > 0),
    );
    if (contradicted) return false;
  }
  return !proofsAt(model, send, log, offset).some((op) =>
    goneFrom(model, log, offset, send.value, op),
  );
}

/** Depth-first search over all orders; a memo on the set that is already placed keeps it small. */
function isOrderable(model: Model, elements: readonly Element[]): boolean {
  const dead = new Set<string>();
  const place = (left: readonly Element[], last: number): boolean => {
    if (left.length === 0) return true;
    const memo = `${last}:${left.map((element) => elements.indexOf(element)).join()}`;
    if (dead.has(memo)) return false;
    for (const next of left) {
      if (next.key < last || left.some((other) => mustPrecede(model, other, next))) continue;
      if (
        place(
          left.filter((other) => other !== next),
          next.key,
        )
      )
        return true;
    }
    dead.add(memo);
    return false;
  };
  return place(elements, -1);
}

export function nonmonotonicSendOracle(model: Model): OracleAnswer {
  return pairs(model, () => true);
}

export function intNonmonotonicSendOracle(model: Model): OracleAnswer {
  return pairs(model, (earlier, later) => earlier.op === later.op);
}

function pairs(
  model: Model,
  which: (earlier: ModelSend, later: ModelSend) => boolean,
): OracleAnswer {
  const found = model.sends.some((earlier) =>
    model.sends.some(
      (later) =>
        earlier !== later &&
        earlier.op.status === 'ok' &&
        earlier.op.session === later.op.session &&
        isFirst(model, earlier, later) &&
        which(earlier, later) &&
        ['t/0', 't/1'].some((log) => {
          const [a, b] = [leastPlace(model, earlier, log), leastPlace(model, later, log)];
          return a !== null && b !== null && b < a;
        }),
    ),
  );
  return { found, count: null };
}

/** Program order is the order in which sends were recorded, by invocation or by attempt. */
function isFirst(model: Model, a: ModelSend, b: ModelSend): boolean {
  const [first, second] = [recordedAt(model, a), recordedAt(model, b)];
  return first === second ? a.op === b.op && a.place < b.place : first < second;
}

function recordedAt(model: Model, send: ModelSend): number {
  const text = JSON.stringify(send.value);
  return model.events.findIndex(
    ({ value, process }) =>
      process === send.op.process &&
      Array.isArray(value) &&
      (value as unknown[][]).some((micro) => JSON.stringify(micro[2]) === text),
  );
}

function leastPlace(model: Model, send: ModelSend, log: string): number | null {
  // Sends whose partition was never told are not ordered, nor is a copy in another partition.
  if (send.op.status === 'fail' || send.log !== log) return null;
  const places = placesOf(model, send, log);
  if (places.length === 0) return null;
  const least = Math.min(...places);
  // What an answer said and a scan refutes: the copy that counts is another one, and was written nobody knows when.
  const telling = places.filter((o) => o === least || o === send.offset);
  return telling.every((o) => isStanding(model, send, log, o, 'any')) ? least : null;
}
