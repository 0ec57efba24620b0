import { expect, test } from 'vitest';
import type { Visibility } from './poll.ts';
import type { PollStatus } from './schedule.ts';
import { anyone, receiptShowsVersion, resultsVisible } from './visibility.ts';

const visibilities: readonly Visibility[] = ['always', 'after_vote', 'after_close', 'manager'];
const statuses: readonly PollStatus[] = ['draft', 'open', 'paused', 'closing', 'closed'];
const voter = { manager: false, voted: true };
const manager = { manager: true, voted: false };

const shownTo = (visibility: Visibility, viewer: typeof anyone): PollStatus[] =>
  statuses.filter((status) => resultsVisible(visibility, status, viewer));

test('the manager sees the results at any time', () => {
  for (const visibility of visibilities) expect(shownTo(visibility, manager)).toEqual(statuses);
});

test.for<[visibility: Visibility, anyone: readonly PollStatus[], voter: readonly PollStatus[]]>([
  ['always', statuses, statuses],
  ['after_vote', ['closed'], statuses],
  ['after_close', ['closed'], ['closed']],
  ['manager', [], []],
])('%s shows them to anyone while %j and to a voter while %j', ([visibility, toAnyone, toVoter]) => {
  expect(shownTo(visibility, anyone)).toEqual(toAnyone);
  expect(shownTo(visibility, voter)).toEqual(toVoter);
});

test('a receipt tells no version where its holder may not see the count', () => {
  for (const visibility of visibilities) {
    expect(receiptShowsVersion(visibility)).toBe(resultsVisible(visibility, 'open', voter));
  }
});
