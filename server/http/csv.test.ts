import { expect, test } from 'vitest';
import { toCsv } from './csv.ts';

test('cells with commas, quotes and line breaks are quoted', () => {
  expect(
    toCsv([
      ['a', 1],
      ['b, c', 2.5],
      ['say "x"', 0],
      ['two\nlines', -1],
    ]),
  ).toBe('a,1\r\n"b, c",2.5\r\n"say ""x""",0\r\n"two\nlines",-1\r\n');
});

test.for(['=1+1', '+1', '-1', '@x', '\tx', '\rx', '\n=x', '＝1', '＋1', '－1', '＠x'])(
  'the cell %j is no formula',
  (text) => {
    expect(toCsv([[text]]).replace(/^"/u, '')).toMatch(/^'/u);
  },
);
