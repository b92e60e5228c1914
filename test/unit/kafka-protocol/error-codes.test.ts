import { expect, test } from 'vitest';
import { errorCodeOf, errorName } from '../../../src/kafka-protocol/error-codes.ts';

// Spread over the table, so that one missing or doubled row shifts at least one of them.
test.each([
  [-1, 'UNKNOWN_SERVER_ERROR'],
  [0, 'NONE'],
  [1, 'OFFSET_OUT_OF_RANGE'],
  [6, 'NOT_LEADER_OR_FOLLOWER'],
  [20, 'NOT_ENOUGH_REPLICAS_AFTER_APPEND'],
  [36, 'TOPIC_ALREADY_EXISTS'],
  [45, 'OUT_OF_ORDER_SEQUENCE_NUMBER'],
  [51, 'CONCURRENT_TRANSACTIONS'],
  [59, 'UNKNOWN_PRODUCER_ID'],
  [74, 'FENCED_LEADER_EPOCH'],
  [78, 'OFFSET_NOT_AVAILABLE'],
  [80, 'PREFERRED_LEADER_NOT_AVAILABLE'],
  [84, 'ELECTION_NOT_NEEDED'],
  [90, 'PRODUCER_FENCED'],
  [100, 'UNKNOWN_TOPIC_ID'],
  [110, 'FENCED_MEMBER_EPOCH'],
  [120, 'TRANSACTION_ABORTABLE'],
  [133, 'SHARE_SESSION_LIMIT_REACHED'],
])('%d is %s', (code, name) => {
  expect(errorName(code)).toBe(name);
  expect(errorCodeOf(name)).toBe(code);
});

test('a code newer than the table is named by its number', () => {
  expect(errorName(999)).toBe('ERROR_999');
  expect(errorCodeOf('NO_SUCH_NAME')).toBeUndefined();
});
