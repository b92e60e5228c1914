/** What may follow what, and the shape of everything but sends. */
import {
  cases,
  done,
  header,
  info,
  invoke,
  lines,
  ok,
  pollInvoke,
  send,
} from '../../support/refusals.ts';

cases('index and time', [
  {
    name: 'the first index is 0',
    text: `${header}\n{"index":1,"time":0,${invoke}}\n`,
    says: 'history.jsonl:2: index: expected 0, got 1',
  },
  {
    name: 'no gaps',
    text: `${header}\n{"index":0,"time":0,${invoke}}\n{"index":2,"time":0,${ok}}\n`,
    says: 'history.jsonl:3: index: expected 1, got 2',
  },
  {
    name: 'no repetition',
    text: `${header}\n{"index":0,"time":0,${invoke}}\n{"index":0,"time":0,${ok}}\n`,
    says: 'history.jsonl:3: index: expected 1, got 0',
  },
  {
    name: 'an index is an integer',
    text: `${header}\n{"index":"0","time":0,${invoke}}\n`,
    says: 'history.jsonl:2: index: expected an integer in [0, 2^53), got "0"',
  },
  {
    name: 'an index below 2^53',
    text: `${header}\n{"index":9007199254740992,"time":0,${invoke}}\n`,
    says: 'history.jsonl:2: index: expected an integer in [0, 2^53), got 9007199254740992',
  },
  {
    name: 'time never falls',
    text: `${header}\n{"index":0,"time":5,${invoke}}\n{"index":1,"time":4,${ok}}\n`,
    says: 'history.jsonl:3: time: 4 is earlier than 5, the one before',
  },
  {
    name: 'time may stand still',
    text: `${header}\n{"index":0,"time":5,${invoke}}\n{"index":1,"time":5,${ok}}\n`,
    says: 'accepted',
  },
  {
    name: 'time is an integer',
    text: `${header}\n{"index":0,"time":0.5,${invoke}}\n`,
    says: 'history.jsonl:2: time: expected integer nanoseconds, an integer in [0, 2^53), got 0.5',
  },
  {
    name: 'time is not negative',
    text: `${header}\n{"index":0,"time":-1,${invoke}}\n`,
    says: 'history.jsonl:2: time: expected integer nanoseconds, an integer in [0, 2^53), got -1',
  },
]);

cases('operations of a process', [
  {
    name: 'an operation is an invocation and a completion',
    text: lines(invoke, ok),
    says: 'accepted',
  },
  { name: 'an invocation may stay open', text: lines(invoke), says: 'accepted' },
  {
    name: 'a second open operation is refused',
    text: lines(invoke, send(0, 't/0', '18')),
    says: 'history.jsonl:3: process: 0 already has an open operation, "send" of index 0',
  },
  {
    name: 'two processes may each have one',
    text: lines(invoke, send(1, 't/0', '18')),
    says: 'accepted',
  },
  {
    name: 'a completion without invocation is refused',
    text: lines(ok),
    says: 'history.jsonl:2: process: 0 has no open operation to complete',
  },
  {
    name: 'a second completion is refused',
    text: lines(invoke, ok, ok),
    says: 'history.jsonl:4: process: 0 has no open operation to complete',
  },
  {
    name: 'a completion of another f is refused',
    text: lines(invoke, '"process":0,"type":"ok","f":"poll","value":[["poll",{}]]'),
    says: 'history.jsonl:3: f: "poll" completes "send" of index 0, another function',
  },
  {
    name: 'a client acting after info is refused',
    text: lines(invoke, info, send(0, 't/0', '18')),
    says: 'history.jsonl:4: process: 0 ended in info and never acts again',
  },
  {
    name: 'a client may act after ok and fail',
    text: lines(
      invoke,
      ok,
      send(0, 't/0', '18'),
      done(0, 't/0', '18', 'fail'),
      send(0, 't/0', '19'),
    ),
    says: 'accepted',
  },
  {
    name: 'a nemesis may act after info',
    text: lines(
      '"process":"nemesis:kill","type":"invoke","f":"kill","value":{"fault":"f1","targets":[],"plan":{}}',
      '"process":"nemesis:kill","type":"info","f":"kill","value":null',
      '"process":"nemesis:kill","type":"invoke","f":"heal","value":{"fault":"f1"}',
    ),
    says: 'accepted',
  },
  {
    name: 'an f that no client has is refused',
    text: lines('"process":0,"type":"invoke","f":"sned","value":[]'),
    says: 'history.jsonl:2: f: no client process has the function "sned"',
  },
  {
    name: 'a process that is neither client nor nemesis has no operations',
    text: lines('"process":"observer","type":"invoke","f":"kill","value":{}'),
    says: 'history.jsonl:2: process: expected an integer or "nemesis:<name>" for an operation, got "observer"',
  },
  {
    name: 'but it may observe anything',
    text: lines('"process":"observer","type":"event","f":"anything","value":0.1'),
    says: 'accepted',
  },
  {
    name: 'an unknown type is refused',
    text: lines('"process":0,"type":"okay","f":"send","value":[]'),
    says: 'history.jsonl:2: type: expected "invoke", "ok", "fail", "info" or "event", got "okay"',
  },
  {
    name: 'a process is an integer or a name',
    text: lines('"process":-1,"type":"invoke","f":"send","value":[]'),
    says: 'history.jsonl:2: process: expected an integer in [0, 2^53) or a name, got -1',
  },
  {
    name: 'an operation stays in its session',
    text: lines(`${invoke},"session":"a"`, `${ok},"session":"b"`),
    says: 'history.jsonl:3: session: the operation was invoked in another session',
  },
  {
    name: 'sessions may be shared, and outlive an info',
    text: lines(
      `${invoke},"session":"a"`,
      `${send(1, 't/0', '18')},"session":"a"`,
      `${info},"session":"a"`,
      done(1, 't/0', '[1,18]'),
      `${send(2, 't/0', '19')},"session":"a"`,
    ),
    says: 'accepted',
  },
  {
    name: 'an error has a code and a message',
    text: lines(invoke, `${info},"error":{"code":7,"message":"m"}`),
    says: 'history.jsonl:3: error.code: expected a string, got 7',
  },
]);

cases('polls and audits', [
  {
    name: 'a polled log has a partition',
    text: lines(pollInvoke, '"process":1,"type":"ok","f":"poll","value":[["poll",{"t":[[0,1]]}]]'),
    says: 'history.jsonl:3: value[0][1] key: expected a log, "topic/partition", got "t"',
  },
  {
    name: 'a record has an offset',
    text: lines(
      pollInvoke,
      '"process":1,"type":"ok","f":"poll","value":[["poll",{"t/0":[[0,1],["1",2]]}]]',
    ),
    says: 'history.jsonl:3: value[0][1]["t/0"][1][0]: expected an offset, an integer in [0, 2^53), got "1"',
  },
  {
    name: 'a record has two or three parts',
    text: lines(pollInvoke, '"process":1,"type":"ok","f":"poll","value":[["poll",{"t/0":[[0]]}]]'),
    says: 'history.jsonl:3: value[0][1]["t/0"][0]: expected [offset, value] or [offset, value, meta], got [0]',
  },
  {
    name: 'ok says what was polled',
    text: lines(pollInvoke, '"process":1,"type":"ok","f":"poll","value":[["poll"]]'),
    says: 'history.jsonl:3: value[0]: expected 2 items, got ["poll"]',
  },
  {
    name: 'an unknown word in view is refused',
    text: lines(
      '"process":1,"type":"invoke","f":"audit","value":{"log":"t/0","view":"all","from":0}',
    ),
    says: 'history.jsonl:2: value.view: expected "committed", "uncommitted" or "raw", got "all"',
  },
  {
    name: 'a chunk answers what was asked',
    text: lines(
      '"process":1,"type":"invoke","f":"audit","value":{"log":"t/0","view":"committed","from":0}',
      '"process":1,"type":"ok","f":"audit","value":{"log":"t/0","view":"uncommitted","from":0,"next":1,"records":[],"start":0,"end":1}',
    ),
    says: 'history.jsonl:3: value.view: "uncommitted", where the invocation says "committed"',
  },
  {
    name: 'a chunk says nothing beyond its range',
    text: lines(
      '"process":1,"type":"invoke","f":"audit","value":{"log":"t/0","view":"committed","from":0}',
      '"process":1,"type":"ok","f":"audit","value":{"log":"t/0","view":"committed","from":0,"next":1,"records":[[1,5]],"start":0,"end":2}',
    ),
    says: 'history.jsonl:3: value.records[0][0]: offset 1 lies outside [from, next) = [0, 1)',
  },
  {
    name: 'a chunk does not run backwards',
    text: lines(
      '"process":1,"type":"invoke","f":"audit","value":{"log":"t/0","view":"committed","from":4}',
      '"process":1,"type":"ok","f":"audit","value":{"log":"t/0","view":"committed","from":4,"next":3,"records":[],"start":0,"end":5}',
    ),
    says: 'history.jsonl:3: value.next: 3 is below from, 4',
  },
  {
    name: 'a raw view has batches',
    text: lines(
      '"process":1,"type":"invoke","f":"audit","value":{"log":"t/0","view":"raw","from":0}',
      '"process":1,"type":"ok","f":"audit","value":{"log":"t/0","view":"raw","from":0,"next":1,"records":[],"start":0,"end":2}',
    ),
    says: 'history.jsonl:3: value.batches: expected a list of batches, got nothing',
  },
]);

cases('rare operations', [
  {
    name: 'an assign says from where',
    text: lines('"process":1,"type":"invoke","f":"assign","value":{"logs":["t/0"],"from":"start"}'),
    says: 'history.jsonl:2: value.from: expected another form, got "start"',
  },
  {
    name: 'an assigned log has a partition',
    text: lines('"process":1,"type":"invoke","f":"assign","value":{"logs":["t"],"from":"end"}'),
    says: 'history.jsonl:2: value.logs[0]: expected a log, "topic/partition"',
  },
  {
    name: 'a fault names itself',
    text: lines(
      '"process":"nemesis:kill","type":"invoke","f":"kill","value":{"targets":[],"plan":{}}',
    ),
    says: 'history.jsonl:2: value.fault: expected a string, got nothing',
  },
  {
    name: 'evidence says whether it took effect',
    text: lines(
      '"process":"nemesis:kill","type":"invoke","f":"heal","value":{"fault":"f1"}',
      '"process":"nemesis:kill","type":"ok","f":"heal","value":{"fault":"f1","evidence":{"tookEffect":"yes"}}',
    ),
    says: 'history.jsonl:3: value.evidence.tookEffect: expected another form, got "yes"',
  },
  {
    name: 'an offset to commit is an integer',
    text: lines(
      '"process":1,"type":"invoke","f":"commit","value":{"group":"g","offsets":{"t/0":1.5}}',
    ),
    says: 'history.jsonl:2: value.offsets.t/0: expected an integer, got 1.5',
  },
]);
