/** Sends: unique values, attempts, completions; and exact numbers. */
import {
  attempt,
  cases,
  done,
  header,
  invoke,
  lines,
  ok,
  pollInvoke,
  send,
} from '../../support/refusals.ts';

cases('sends', [
  {
    name: 'a second invocation of a value is refused',
    text: lines(invoke, ok, invoke),
    says:
      'history.jsonl:4: value[0][2]: 17 was already sent to log "t/0", at index 0; values are unique per log, ' +
      'and per topic where the client chooses the partition',
  },
  {
    name: 'also after a failed one',
    text: lines(invoke, done(0, 't/0', '17', 'fail'), invoke),
    says:
      'history.jsonl:4: value[0][2]: 17 was already sent to log "t/0", at index 0; values are unique per log, ' +
      'and per topic where the client chooses the partition',
  },
  {
    name: 'also twice in one operation',
    text: lines(
      '"process":0,"type":"invoke","f":"send","value":[["send","t/0",1],["send","t/0",1.0]]',
    ),
    says:
      'history.jsonl:2: value[1][2]: 1 was already sent to log "t/0", in this event; values are unique per log, ' +
      'and per topic where the client chooses the partition',
  },
  {
    name: 'another log may have the same value',
    text: lines(invoke, send(1, 't/1', '17'), send(2, 'u/0', '17')),
    says: 'accepted',
  },
  {
    name: '1 and "1" are two values',
    text: lines(send(0, 't/0', '1'), send(1, 't/0', '"1"')),
    says: 'accepted',
  },
  {
    name: '0 and -0 are one',
    text: lines(send(0, 't/0', '0'), send(1, 't/0', '-0')),
    says:
      'history.jsonl:3: value[0][2]: 0 was already sent to log "t/0", at index 0; values are unique per log, ' +
      'and per topic where the client chooses the partition',
  },
  {
    name: 'per topic where the client chooses the partition',
    text: lines(send(0, 't', '17'), send(1, 't/1', '17')),
    says:
      'history.jsonl:3: value[0][2]: 17 was already sent to log "t/1", at index 0; values are unique per log, ' +
      'and per topic where the client chooses the partition',
  },
  {
    name: 'whichever came first, and when its partition is known by now',
    text: lines(invoke, ok, send(1, 't', '17')),
    says:
      'history.jsonl:4: value[0][2]: 17 was already sent to topic "t", at index 0; values are unique per log, ' +
      'and per topic where the client chooses the partition',
  },
  {
    name: 'within one operation too',
    text: lines('"process":0,"type":"invoke","f":"send","value":[["send","t/3",1],["send","t",1]]'),
    says:
      'history.jsonl:2: value[1][2]: 1 was already sent to topic "t", in this event; values are unique per log, ' +
      'and per topic where the client chooses the partition',
  },
  {
    name: 'a completed send that was recorded nowhere is refused',
    text: lines(invoke, done(0, 't/0', '[41,18]')),
    says: 'history.jsonl:3: value[0]: the send of 18 to "t/0" was recorded neither in the invocation nor in an attempt',
  },
  {
    name: 'also in another log than it was invoked in',
    text: lines(invoke, done(0, 't/1', '[41,17]')),
    says: 'history.jsonl:3: value[0]: the send of 17 to "t/1" was recorded neither in the invocation nor in an attempt',
  },
  {
    name: 'also if another operation recorded it',
    text: lines(invoke, send(1, 't/0', '18'), done(1, 't/0', '[41,17]')),
    says: 'history.jsonl:4: value[0]: the send of 17 to "t/0" was recorded neither in the invocation nor in an attempt',
  },
  {
    name: 'an attempt records it',
    text: lines(
      '"process":0,"type":"invoke","f":"send","value":[]',
      attempt(0, '[["send","t/0",17]]'),
      ok,
    ),
    says: 'accepted',
  },
  {
    name: 'an attempt after the completion is refused',
    text: lines(invoke, ok, attempt(0, '[["send","t/0",18]]')),
    says: 'history.jsonl:4: process: 0 has no open operation to attempt for',
  },
  {
    name: 'an attempt of another process is refused',
    text: lines(invoke, attempt(1, '[["send","t/0",18]]')),
    says: 'history.jsonl:3: process: 1 has no open operation to attempt for',
  },
  {
    name: 'an attempt while polling is refused',
    text: lines(pollInvoke, attempt(1, '[["send","t/0",18]]')),
    says: 'history.jsonl:3: f: an attempt belongs to a send or txn, not to a "poll"',
  },
  {
    name: 'an attempt is a client’s',
    text: lines(invoke, attempt('observer', '[["send","t/0",18]]')),
    says: 'history.jsonl:3: process: expected the client process, got "observer"',
  },
  {
    name: 'an attempt of a value that was sent is a second invocation',
    text: lines(invoke, attempt(0, '[["send","t/0",17]]')),
    says:
      'history.jsonl:3: value[0][2]: 17 was already sent to log "t/0", at index 0; values are unique per log, ' +
      'and per topic where the client chooses the partition',
  },
  {
    name: 'marks and offsets stand in attempts',
    text: lines(
      '"process":0,"type":"invoke","f":"txn","value":[]',
      attempt(0, '[["send","t/0",17],["offsets","g",{"in/0":5}],["commit"]]'),
    ),
    says: 'accepted',
  },
  {
    name: 'a mark of a commit stands nowhere else',
    text: lines('"process":0,"type":"invoke","f":"txn","value":[["commit"]]'),
    says: 'history.jsonl:2: value[0][0]: expected "send", "poll" or "offsets", got "commit"',
  },
  {
    name: 'ok lists every send of its operation',
    text: lines(
      '"process":0,"type":"invoke","f":"send","value":[["send","t/0",17],["send","t/0",18]]',
      ok,
    ),
    says: 'history.jsonl:3: value: ok lists 1 of the 2 sends that the invocation and its attempts recorded',
  },
  {
    name: 'fail and info may leave sends out',
    text: lines(invoke, '"process":0,"type":"info","f":"send","value":[]'),
    says: 'accepted',
  },
  {
    name: 'or have no value',
    text: lines(invoke, '"process":0,"type":"info","f":"send"'),
    says: 'accepted',
  },
  {
    name: 'a send is listed once',
    text: lines(
      invoke,
      '"process":0,"type":"ok","f":"send","value":[["send","t/0",[1,17]],["send","t/0",[2,17]]]',
    ),
    says: 'history.jsonl:3: value[1]: the send is listed twice',
  },
  {
    name: 'ok holds the completed form',
    text: lines(invoke, done(0, 't/0', '17')),
    says: 'history.jsonl:3: value[0][2]: expected [offset, value], got 17',
  },
  {
    name: 'an offset may be withheld',
    text: lines(invoke, done(0, 't/0', '[null,17]')),
    says: 'accepted',
  },
  {
    name: 'an offset is not negative',
    text: lines(invoke, done(0, 't/0', '[-1,17]')),
    says: 'history.jsonl:3: value[0][2][0]: expected an offset, an integer in [0, 2^53), or null, got -1',
  },
  {
    name: 'a partition has no leading zeros',
    text: lines(send(0, 't/00', '17')),
    says: 'history.jsonl:2: value[0][1]: expected a log, "topic/partition", or a topic, got "t/00"',
  },
  {
    name: 'a send does not poll',
    text: lines('"process":0,"type":"invoke","f":"send","value":[["poll"]]'),
    says: 'history.jsonl:2: value[0][0]: expected "send", got "poll"',
  },
  {
    name: 'meta is an object',
    text: lines('"process":0,"type":"invoke","f":"send","value":[["send","t/0",17,"k"]]'),
    says: 'history.jsonl:2: value[0][3]: expected an object, got "k"',
  },
  {
    name: 'a field of meta has its type',
    text: lines(
      '"process":0,"type":"invoke","f":"send","value":[["send","t/0",17,{"amount":"1"}]]',
    ),
    says: 'history.jsonl:2: value[0][3].amount: expected an exact number, got "1"',
  },
]);

cases('exact numbers', [
  {
    name: '1.0 and 1e3 are integers',
    text: lines(invoke, done(0, 't/0', '[1e3,17.0]')),
    says: 'accepted',
  },
  { name: '0.5 is exact', text: lines(send(0, 't/0', '0.5')), says: 'accepted' },
  {
    name: '2^53 is exact as a value',
    text: lines(send(0, 't/0', '9007199254740992')),
    says: 'accepted',
  },
  {
    name: '2^53 + 1 is not',
    text: lines(send(0, 't/0', '9007199254740993')),
    says: 'history.jsonl:2: value[0][2]: a double does not hold 9007199254740993 exactly',
  },
  {
    name: '0.1 is not',
    text: lines(send(0, 't/0', '0.1')),
    says: 'history.jsonl:2: value[0][2]: a double does not hold 0.1 exactly',
  },
  {
    name: 'an offset that rounds to an integer is not',
    text: lines(invoke, done(0, 't/0', '[4.00000000000000000001,17]')),
    says: 'history.jsonl:3: value[0][2][0]: a double does not hold 4.00000000000000000001 exactly',
  },
  {
    name: 'a value that rounds to zero is not',
    text: lines(send(0, 't/0', '1e-400')),
    says: 'history.jsonl:2: value[0][2]: a double does not hold 1e-400 exactly',
  },
  {
    name: 'a value that is too large is not',
    text: lines(send(0, 't/0', '1e400')),
    says: 'history.jsonl:2: value[0][2]: a double does not hold 1e400 exactly',
  },
  {
    name: 'nor a time',
    text: `${header}\n{"index":0,"time":0.1,${invoke}}\n`,
    says: 'history.jsonl:2: time: a double does not hold 0.1 exactly',
  },
  {
    name: 'nor what is known of a record',
    text: lines('"process":0,"type":"invoke","f":"send","value":[["send","t/0",1,{"amount":0.1}]]'),
    says: 'history.jsonl:2: value[0][3].amount: a double does not hold 0.1 exactly',
  },
  {
    name: 'nor in a rare operation',
    text: lines(
      '"process":1,"type":"invoke","f":"commit","value":{"group":"g","offsets":{"t/0":0.1}}',
    ),
    says: 'history.jsonl:2: value.offsets.t/0: a double does not hold 0.1 exactly',
  },
  {
    name: 'digits in a string are no number',
    text: lines(send(0, 't/0', '"0.1 and \\"9007199254740993"')),
    says: 'accepted',
  },
]);
