import { expect, test } from 'vitest';
import { en } from '../texts/en.ts';
import { toRowsShown } from './arrangement.ts';
import { toSummary, type SummaryFacts } from './summary.ts';

function factsOf(stage: SummaryFacts['stage'], votes: readonly number[]): SummaryFacts {
  const options = votes.map((_, index) => ({ id: String(index), text: `Option ${index}`, description: null }));
  const counts = votes.map((count, index) => ({ optionId: String(index), votes: count, lastTenMinutes: 0 }));
  const total = votes.reduce((sum, count) => sum + count, 0);
  const shown = toRowsShown(options, { counts }, 'ballot');
  return { stage, visibility: 'after_close', question: 'Which?', total, shown };
}

test('a live poll is told with its ballots and its figures', () => {
  expect(toSummary(factsOf('live', [52, 48]), en, 'en')).toBe(
    'Live: 100 ballots. Option 0 52\u00a0%, Option 1 48\u00a0%.',
  );
});

test('neither suspense nor a locked or revealing poll tells a figure of an option', () => {
  for (const stage of ['waiting', 'concealed', 'suspense', 'locked', 'reveal'] as const) {
    expect(toSummary(factsOf(stage, [52, 48]), en, 'en')).not.toMatch(/Option|52|48|%/u);
  }
});

test('a tie names everybody who shares the first place', () => {
  expect(toSummary(factsOf('tie', [3, 3, 1]), en, 'en')).toContain('between Option 0, Option 1 with 3 votes each');
});

test('of many options the first five are named and the others summed up', () => {
  const summary = toSummary(
    factsOf(
      'live',
      Array.from({ length: 40 }, () => 5),
    ),
    en,
    'en',
  );
  expect(summary.match(/Option \d+/gu)).toHaveLength(5);
  expect(summary).toMatch(/others 8[57]\u00a0%\.$/u);
});

test('names are put in as they are, whatever they look like', () => {
  const facts = { ...factsOf('winner', [2, 1]) };
  const rows = facts.shown.rows.map((row) => ({ ...row, text: `{ballots} $& ${row.text}` }));
  expect(toSummary({ ...facts, shown: { rows, rest: null } }, en, 'en')).toContain(
    'The winner is {ballots} $& Option 0',
  );
});
