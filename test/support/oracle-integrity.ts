/** Oracles of log integrity: phantom, future-read, corrupt-record, aborted-read, inconsistent-offsets, duplicate. */
import {
  before,
  counted,
  sendersOf,
  topicName,
  type Model,
  type ModelSight,
  type OracleAnswer,
} from './oracle-model.ts';
import { offsetMax, sightLost, tilesOf } from './oracle-scans.ts';

export function phantomOracle(model: Model): OracleAnswer {
  const phantoms = model.sights
    .filter(({ log }) => !model.external.has(topicName(log)))
    .filter(({ log, value }) => sendersOf(model, log, value).length === 0)
    .map(({ log, value }) => `${log} ${JSON.stringify(value)}`);
  return counted(new Set(phantoms).size);
}

export function futureReadOracle(model: Model): OracleAnswer {
  const found = model.sights.some((sight) => {
    const senders = sendersOf(model, sight.log, sight.value);
    return (
      senders.length > 0 && senders.every((send) => before(model, sight.op, send.op, send.inv))
    );
  });
  return { found, count: null };
}

export function corruptRecordOracle(model: Model): OracleAnswer {
  const found = model.sights.some((sight) =>
    sendersOf(model, sight.log, sight.value).some(
      (send) =>
        (send.key !== null && sight.key !== null && send.key !== sight.key) ||
        (send.hash !== null && sight.hash !== null && send.hash !== sight.hash),
    ),
  );
  return { found, count: null };
}

export function abortedReadOracle(model: Model): OracleAnswer {
  const found = model.sights.some(
    (sight) =>
      sight.by !== 'uncommitted' &&
      sendersOf(model, sight.log, sight.value).some((send) => send.op.status === 'fail'),
  );
  return { found, count: null };
}

export function inconsistentOffsetsOracle(model: Model): OracleAnswer {
  let conflicts = 0;
  for (const log of ['t/0', 't/1']) {
    for (let offset = 0; offset < offsetMax; offset++) {
      const values = new Set(
        model.sights.filter((s) => s.log === log && s.offset === offset).map((s) => s.value),
      );
      for (const send of model.sends) {
        if (send.log !== log || send.offset !== offset || send.op.status === 'fail') continue;
        const seen = model.sights.some((s) => s.log === log && s.value === send.value);
        if (send.op.status === 'ok' || seen) values.add(send.value);
      }
      if (values.size > 1) conflicts++;
    }
  }
  return counted(conflicts);
}

export function duplicateOracle(model: Model): OracleAnswer {
  const committed = model.sights.filter(({ log }) => !model.external.has(topicName(log)));
  const found = committed.some((a) =>
    committed.some((b) => {
      if (a.value !== b.value) return false;
      if (a.log === b.log) {
        return (
          a.offset !== b.offset &&
          (sameScan(model, a, b) || (!sightLost(model, a) && !sightLost(model, b)))
        );
      }
      return (
        model.sends.some((send) => send.value === a.value && send.topicOnly) &&
        !sightLost(model, a) &&
        !sightLost(model, b)
      );
    }),
  );
  return { found, count: null };
}

function sameScan(model: Model, a: ModelSight, b: ModelSight): boolean {
  return model.scans.some((scan) => {
    const ops = tilesOf(scan).map(({ chunk }) => chunk.op);
    return ops.includes(a.op) && ops.includes(b.op);
  });
}
