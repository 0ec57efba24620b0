import { expect, test } from 'vitest';
import { check, type Evidence, type LedgerRow, type Operation } from './checker.ts';

const castAt = '2026-01-01T00:00:00.000Z';
const operation = (change: Partial<Operation> & { ballotId?: string } = {}): Operation => {
  const { ballotId = 'b1', ...rest } = change;
  const receipt = JSON.stringify({ ballotId, castAt });
  return { poll: 'p', policy: 'refuse', user: 'u', key: 'k', option: '1', outcome: 'ok', receipt, ...rest };
};
const row = (change: Partial<LedgerRow> = {}): LedgerRow => ({
  ballotId: 'b1',
  poll: 'p',
  voterKey: 'v',
  option: '1',
  castAt,
  counted: true,
  ...change,
});
const sound: Evidence = {
  operations: [operation()],
  ledger: [row()],
  surfaces: [{ name: 'tally', poll: 'p', counts: { '1': 1, '2': 0 } }],
  faults: [3],
  acknowledgedMin: 1,
};
const faultsOf = (change: Partial<Evidence>): string => check({ ...sound, ...change }).join(' ');

test('a sound history has no fault', () => {
  expect(check(sound)).toEqual([]);
});

test.for<[invariant: string, what: string, change: Partial<Evidence>]>([
  ['I1', 'an acknowledged ballot is missing', { ledger: [], surfaces: [] }],
  ['I1', 'an acknowledged ballot is there twice', { ledger: [row(), row()] }],
  ['I1', 'an acknowledged ballot has another option', { ledger: [row({ option: '2' })] }],
  ['I1', 'an acknowledged ballot has another time', { ledger: [row({ castAt: '2026-01-02T00:00:00.000Z' })] }],
  ['I2', 'a row was never sent', { ledger: [row(), row({ ballotId: 'b2', voterKey: 'w' })] }],
  [
    'I2',
    'one key was recorded twice',
    { operations: [operation(), operation()], ledger: [row(), row({ ballotId: 'b2', voterKey: 'w' })] },
  ],
  ['I3', 'a refused ballot is in the ledger', { operations: [operation({ outcome: 'fail' })], acknowledgedMin: 0 }],
  ['I4', 'a voter has two counted ballots', { ledger: [row(), row({ ballotId: 'b2' })] }],
  ['I4', 'a voter has none that counts', { ledger: [row({ counted: false })], surfaces: [] }],
  ['I4', 'an earlier ballot counts', { ledger: [row(), row({ ballotId: 'b2', counted: false })] }],
  ['I5', 'a surface shows too much', { surfaces: [{ name: 'tally', poll: 'p', counts: { '1': 2 } }] }],
  ['I5', 'a surface shows a vote that nobody cast', { surfaces: [{ name: 'tally', poll: 'p', counts: { '2': 1 } }] }],
  ['I8', 'one key has two receipts', { operations: [operation(), operation({ ballotId: 'b2' })] }],
  ['I14', 'a fault struck in silence', { faults: [3, 0] }],
  ['I14', 'hardly anything was acknowledged', { acknowledgedMin: 2 }],
])('%s is broken when %s', ([invariant, , change]) => {
  expect(faultsOf(change)).toContain(invariant);
});
