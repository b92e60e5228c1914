import type { RecordMetadata } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { placesOf, type RoutedRecord } from '../../../../src/clients/kafkajs/acknowledgement.ts';

const to = (partition: number, topic = 't'): RoutedRecord => ({
  topic,
  partition,
  choices: [partition],
});
const chosen = (...choices: readonly number[]): RoutedRecord => ({
  topic: 't',
  partition: null,
  choices,
});
const told = (partition: number, baseOffset?: string, topicName = 't'): RecordMetadata => ({
  topicName,
  partition,
  errorCode: 0,
  ...(baseOffset === undefined ? {} : { baseOffset }),
});

describe('places of acknowledged records', () => {
  it('count from the base offset of each topic and partition', () => {
    const records = [to(0), to(0, 'u'), to(0), to(1)];
    const answer = [told(0, '10'), told(1, '20'), told(0, '30', 'u')];
    expect(placesOf(records, answer)?.map(({ offset }) => offset)).toEqual([10, 30, 11, 20]);
  });

  it.each([
    ['the answer is empty, as with acks=0', []],
    ['the broker told none', [told(0, '-1')]],
    ['the field is absent', [told(0)]],
    ['the answer contradicts itself', [told(0, '3'), told(0, '4')]],
    ['the answer is of another topic', [told(0, '3', 'u')]],
  ])('have no offset where %s', (_why, answer) => {
    expect(placesOf([to(0)], answer)).toEqual([{ partition: 0, offset: null }]);
  });

  it('of one record are what the answer says, whatever was chosen', () => {
    expect(placesOf([chosen(0, 2)], [told(0, '5')])).toEqual([{ partition: 0, offset: 5 }]);
    expect(placesOf([chosen(0, 2)], [])).toEqual([{ partition: 2, offset: null }]);
  });

  it('of several records are what was chosen, if it was the same in every attempt', () => {
    const records = [chosen(1, 1), to(1), chosen(2)];
    expect(placesOf(records, [told(1, '5')])).toEqual([
      { partition: 1, offset: 5 },
      { partition: 1, offset: 6 },
      { partition: 2, offset: null },
    ]);
    expect(placesOf([...records, chosen(0, 1)], [told(1, '5'), told(0, '7')])).toBeNull();
  });
});
