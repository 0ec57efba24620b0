import { expect, test } from 'vitest';
import type { Verdict } from '../ledger/ballot-lane.ts';
import { makeBallot, makePoll } from '../poll/test-support.ts';
import { countBatch } from './count-batch.ts';

const poll = makePoll();
const batch = [[1], [2], [], [1, 3]].map((selections, index) => ({
  ballot: makeBallot(poll, index + 1, { selections }),
  settle: () => undefined,
}));
const recorded = { castAt: 5_000, slot: 4, batchNo: 9, verdicts: new Map() };
const change = { pollNo: 1, second: 5 };

test('a ballot without a verdict counts', () => {
  expect(countBatch(batch, recorded)).toEqual({
    slot: 4,
    batchNo: 9,
    changes: [
      { ...change, optionNo: 1, votes: 2, ballots: 2, changes: 2 },
      { ...change, optionNo: 2, votes: 1, ballots: 1, changes: 1 },
      { ...change, optionNo: 0, votes: 0, ballots: 1, changes: 1 },
      { ...change, optionNo: 3, votes: 1, ballots: 0, changes: 0 },
    ],
  });
});

test('what was not recorded or does not count changes nothing, and what was superseded is taken back in its second', () => {
  const verdicts = new Map<number, Verdict>([
    [0, { kind: 'stands', ballotId: '', retryKey: null, castAt: 1, version: 1, selections: '1' }],
    [1, { kind: 'not_taken' }],
    [2, { kind: 'overtaken' }],
    [3, { kind: 'supersedes', castAt: 2_999, selections: '2,3' }],
  ]);
  expect(countBatch(batch, { ...recorded, verdicts }).changes).toEqual([
    { ...change, optionNo: 1, votes: 1, ballots: 1, changes: 1 },
    { ...change, optionNo: 3, votes: 1, ballots: 0, changes: 0 },
    { ...change, second: 2, optionNo: 2, votes: -1, ballots: -1, changes: 0 },
    { ...change, second: 2, optionNo: 3, votes: -1, ballots: 0, changes: 0 },
  ]);
});

test('a batch of nothing changes nothing and keeps its number', () => {
  expect(countBatch([], recorded)).toEqual({ slot: 4, batchNo: 9, changes: [] });
});
