/**
 * What the projector shows, from what is known of the poll.
 *
 * `waiting`: nobody may vote yet. `concealed`: this viewer may not see results, so there are no figures at all.
 * `suspense`: voting goes on and the results are kept off the screen; only the total is there. `live`: bars that move.
 * `locked`: no more ballots, and the results are not on the screen yet. `reveal`: the bars come, the last one first.
 * `winner`, `tie`, `no_votes`: how it ended.
 */
import type { Poll } from '../../protocol/poll.ts';

export type Stage = 'waiting' | 'concealed' | 'suspense' | 'live' | 'locked' | 'reveal' | 'winner' | 'tie' | 'no_votes';

export type StageFacts = {
  readonly status: Poll['status'];
  readonly visibility: Poll['visibility'];
  /** Whether the tally has come to this viewer. */
  readonly seesTally: boolean;
  /** How many options share the most votes; 0 while nobody has voted. */
  readonly leaderCount: number;
  /** What the presenter asked for by hand; null: nothing yet. */
  readonly wanted: ResultsWanted | null;
  /** Whether the bars are coming one by one just now. */
  readonly revealing: boolean;
};

export type ResultsWanted = 'shown' | 'hidden';

export function toStage({ status, visibility, seesTally, leaderCount, wanted, revealing }: StageFacts): Stage {
  if (status === 'draft') return 'waiting';
  if (!seesTally) return 'concealed';
  const shown = resultsWanted(visibility, wanted) === 'shown';
  if (status === 'open' || status === 'paused') return shown ? 'live' : 'suspense';
  if (!shown) return 'locked';
  if (status === 'closing') return 'live';
  if (revealing) return 'reveal';
  if (leaderCount === 0) return 'no_votes';
  return leaderCount === 1 ? 'winner' : 'tie';
}

/**
 * A manager sees the results of every poll, and the crowd before the projector is no manager: what is not public
 * comes to the screen only when the presenter asks for it.
 */
export function resultsWanted(visibility: Poll['visibility'], wanted: ResultsWanted | null): ResultsWanted {
  return wanted ?? (visibility === 'always' ? 'shown' : 'hidden');
}

const finalMsMax = 10_000;
/** How long the zero stands when word of the close does not come. */
const zeroMsMax = 3_000;

/** The last seconds of an open poll, 10 to 0; null before them, and where nothing ends by the clock. Times in milliseconds. */
export function finalSecondsOf({ status, closesAt }: Pick<Poll, 'status' | 'closesAt'>, now: number): number | null {
  if (status !== 'open' || closesAt === null) return null;
  const leftMs = Date.parse(closesAt) - now;
  return leftMs > finalMsMax || leftMs < -zeroMsMax ? null : Math.max(0, Math.ceil(leftMs / 1000));
}

/** What the key and button for voting do; null where the state leaves nothing to do. */
export function votingStepOf(status: Poll['status']): 'open' | 'close' | null {
  if (status === 'draft' || status === 'paused') return 'open';
  return status === 'open' ? 'close' : null;
}
