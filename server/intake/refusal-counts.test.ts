import { expect, test } from 'vitest';
import { AppError } from '../errors.ts';
import { makePoll } from '../poll/test-support.ts';
import { createRefusalCounts } from './refusal-counts.ts';

test('duplicates and late ballots are counted by poll, other refusals are not', () => {
  const counts = createRefusalCounts();
  const [one, two] = [makePoll({ pollNo: 1 }), makePoll({ pollNo: 2 })];
  counts.note(one, new AppError('ballot_already_cast', ''));
  counts.note(one, new AppError('ballot_already_cast', ''));
  counts.note(one, new AppError('poll_closed', ''));
  counts.note(two, new AppError('ballot_invalid', ''));
  expect([counts.of(one), counts.of(two)]).toEqual([
    { duplicates: 2, late: 1 },
    { duplicates: 0, late: 0 },
  ]);
});

test('the polls that were refused first are forgotten when there are too many', () => {
  const counts = createRefusalCounts();
  for (let pollNo = 1; pollNo <= 10_001; pollNo += 1)
    counts.note(makePoll({ pollNo }), new AppError('poll_closed', ''));
  expect([1, 2, 10_001].map((pollNo) => counts.of(makePoll({ pollNo })).late)).toEqual([0, 1, 1]);
});
