import pg from 'pg';
import { expect, test } from 'vitest';
import { BatchFailed, recordedAfter } from './batch-failure.ts';

/** An error as `pg` makes it of what the server reports. */
function reported(code: string, severity = 'ERROR'): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError('refused', 7, 'error'), { code, severity });
}

test.for([
  ['22003', 'a number out of range'],
  ['23505', 'a unique violation'],
  ['25006', 'a read-only transaction'],
  ['40001', 'a serialization failure'],
  ['40P01', 'a deadlock'],
  ['42883', 'a function that is not there'],
  ['53100', 'a full disk'],
  ['53300', 'too many connections'],
  ['54000', 'a limit of the program'],
  ['55P03', 'a lock that was not had in time'],
  ['57014', 'a cancelled statement'],
] as const)('after %s, %s, nothing was recorded', ([code]) => {
  expect(recordedAfter(reported(code))).toBe('no');
});

test.for([
  ['57P01', 'FATAL', 'a shutdown'],
  ['57P02', 'FATAL', 'a crash'],
  ['57P01', 'ERROR', 'a shutdown, however severe'],
  ['58030', 'ERROR', 'an error of the disk'],
  ['XX000', 'ERROR', 'an internal error'],
  ['08006', 'ERROR', 'a broken connection'],
  ['53200', 'FATAL', 'no memory, and the end of the connection'],
  ['22003', 'PANIC', 'a panic'],
] as const)('after %s (%s), %s, nobody knows', ([code, severity]) => {
  expect(recordedAfter(reported(code, severity))).toBe('unknown');
});

test('after an error of the client nobody knows', () => {
  for (const error of [new Error('Query read timeout'), new TypeError('x'), undefined, 'text', { code: '23505' }]) {
    expect(recordedAfter(error)).toBe('unknown');
  }
  expect(recordedAfter(new pg.DatabaseError('refused', 7, 'error'))).toBe('unknown');
});

/** 40003, statement_completion_unknown, is the one code of its class that says the opposite. */
test('after an error that says that the outcome is unknown, it is', () => {
  expect(recordedAfter(reported('40003'))).toBe('unknown');
});

test('a failed batch says what is certain and keeps its cause', () => {
  const cause = new Error('gone');
  expect(new BatchFailed('unknown', cause)).toMatchObject({ name: 'BatchFailed', recorded: 'unknown', cause });
});
