import { expect, test } from 'vitest';
import { toFilesFinding, toSpaceFinding } from './machine.ts';

const mebibyte = 1_048_576;

function limits(hard: string): string {
  return [
    'Limit                     Soft Limit           Hard Limit           Units',
    'Max core file size        0                    unlimited            bytes',
    `Max open files            1024                 ${hard.padEnd(20)} files`,
  ].join('\n');
}

test('the hard limit of open files must hold every live connection and the rest', () => {
  expect(toFilesFinding(limits('1048576'), 50_000).level).toBe('ok');
  expect(toFilesFinding(limits('unlimited'), 50_000).level).toBe('ok');
  const few = toFilesFinding(limits('4096'), 50_000);
  expect(few.level).toBe('warn');
  expect(few.text).toMatch(/4096 allowed.*needs 51000.*lower --sockets-max to 3096/u);
});

test('a full disk fails, and one that is nearly full is a warning', () => {
  expect(toSpaceFinding(100 * mebibyte, './data').level).toBe('FAIL');
  expect(toSpaceFinding(1_000 * mebibyte, './data').level).toBe('warn');
  expect(toSpaceFinding(50_000 * mebibyte, './data').level).toBe('ok');
});
