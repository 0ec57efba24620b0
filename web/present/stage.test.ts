import { expect, test } from 'vitest';
import { finalSecondsOf, toStage, votingStepOf, type StageFacts } from './stage.ts';

const facts: StageFacts = {
  status: 'open',
  visibility: 'always',
  seesTally: true,
  leaderCount: 1,
  wanted: null,
  revealing: false,
};

test('a draft waits, whoever looks', () => {
  expect(toStage({ ...facts, status: 'draft' })).toBe('waiting');
  expect(toStage({ ...facts, status: 'draft', seesTally: false })).toBe('waiting');
});

test('without a tally there are no figures, whatever the presenter asks for', () => {
  for (const status of ['open', 'paused', 'closing', 'closed'] as const) {
    expect(toStage({ ...facts, status, seesTally: false, wanted: 'shown' })).toBe('concealed');
  }
});

test('public results are live from the start and can be taken off the screen', () => {
  expect(toStage(facts)).toBe('live');
  expect(toStage({ ...facts, status: 'paused' })).toBe('live');
  expect(toStage({ ...facts, wanted: 'hidden' })).toBe('suspense');
});

test.for(['after_vote', 'after_close', 'manager'] as const)(
  'results that show %s stay off the screen until the presenter asks, though the manager sees them',
  (visibility) => {
    expect(toStage({ ...facts, visibility })).toBe('suspense');
    expect(toStage({ ...facts, visibility, status: 'closed' })).toBe('locked');
    expect(toStage({ ...facts, visibility, wanted: 'shown' })).toBe('live');
  },
);

test('hidden results lock at the close, are revealed, and end with a winner', () => {
  const hidden = { ...facts, visibility: 'after_close' } as const;
  expect(toStage({ ...hidden, status: 'closing' })).toBe('locked');
  expect(toStage({ ...hidden, status: 'closed' })).toBe('locked');
  expect(toStage({ ...hidden, status: 'closed', wanted: 'shown', revealing: true })).toBe('reveal');
  expect(toStage({ ...hidden, status: 'closed', wanted: 'shown' })).toBe('winner');
});

test('results that were on the screen stay there while the last ballots are counted', () => {
  expect(toStage({ ...facts, status: 'closing' })).toBe('live');
});

test('an outcome says whether one, several or none have won', () => {
  const closed = { ...facts, status: 'closed' } as const;
  expect(toStage(closed)).toBe('winner');
  expect(toStage({ ...closed, leaderCount: 2 })).toBe('tie');
  expect(toStage({ ...closed, leaderCount: 0 })).toBe('no_votes');
});

test.for([
  [10_001, null],
  [10_000, 10],
  [9_001, 10],
  [9_000, 9],
  [1, 1],
  [0, 0],
  [-3_000, 0],
  [-3_001, null],
] as const)('%i ms before the end the countdown says %s', ([leftMs, seconds]) => {
  const closesAt = '2030-01-01T00:00:00Z';
  expect(finalSecondsOf({ status: 'open', closesAt }, Date.parse(closesAt) - leftMs)).toBe(seconds);
});

test('only an open poll with an end counts down', () => {
  const now = Date.parse('2030-01-01T00:00:00Z');
  expect(finalSecondsOf({ status: 'open', closesAt: null }, now)).toBeNull();
  expect(finalSecondsOf({ status: 'closed', closesAt: '2030-01-01T00:00:05Z' }, now)).toBeNull();
  expect(finalSecondsOf({ status: 'paused', closesAt: '2030-01-01T00:00:05Z' }, now)).toBeNull();
});

test('a draft and a pause lead to open, open leads to closed, and a close is final', () => {
  expect(votingStepOf('draft')).toBe('open');
  expect(votingStepOf('paused')).toBe('open');
  expect(votingStepOf('open')).toBe('close');
  expect(votingStepOf('closing')).toBeNull();
  expect(votingStepOf('closed')).toBeNull();
});
