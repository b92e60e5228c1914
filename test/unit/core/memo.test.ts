import { expect, it } from 'vitest';
import { Memo } from '../../../src/core/memo.ts';

it('works a thing out once for each object, also where there is nothing to tell', () => {
  const memo = new Memo<{ readonly name: string }, string | undefined>();
  const asked: string[] = [];
  const make = ({ name }: { readonly name: string }): string | undefined => {
    asked.push(name);
    return name === 'none' ? undefined : `made of ${name}`;
  };
  const a = { name: 'a' };
  const none = { name: 'none' };
  expect([memo.of(a, make), memo.of(none, make), memo.of(a, make), memo.of(none, make)]).toEqual([
    'made of a',
    undefined,
    'made of a',
    undefined,
  ]);
  expect(asked).toEqual(['a', 'none']);
});

it('tells equal objects apart', () => {
  const memo = new Memo<object, number>();
  let made = 0;
  const make = (): number => ++made;
  expect([memo.of({}, make), memo.of({}, make)]).toEqual([1, 2]);
});
