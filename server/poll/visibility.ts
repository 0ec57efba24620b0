/** Who may see a poll's results. Every surface that shows a count, an order or a version asks here first. */
import type { Visibility } from './poll.ts';
import type { PollStatus } from './schedule.ts';

export type Viewer = {
  /** Holds the poll's manage key. */
  readonly manager: boolean;
  /** Has a counted ballot in the poll. */
  readonly voted: boolean;
};

/** Somebody of whom nothing is known: the viewer of lists, leaderboards and caches. */
export const anyone: Viewer = { manager: false, voted: false };

export function resultsVisible(visibility: Visibility, status: PollStatus, viewer: Viewer): boolean {
  if (viewer.manager || visibility === 'always') return true;
  if (visibility === 'manager') return false;
  if (status === 'closed') return true;
  return visibility === 'after_vote' && viewer.voted;
}

/** Whether a receipt may carry the tally's version: the version tells how many ballots were counted before it. */
export function receiptShowsVersion(visibility: Visibility): boolean {
  return visibility === 'always' || visibility === 'after_vote';
}
