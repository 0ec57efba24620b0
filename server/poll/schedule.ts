/**
 * The states of a poll and the steps between them.
 *
 * `draft`: nobody may vote yet; it opens by hand, or by itself at `opensAt`.
 * `open`: ballots count. `paused`: they are refused until voting goes on.
 * `closing`: the closing time has passed, and ballots that were accepted before it are still on their way into the ledger.
 * `closed`: final. Only a reopening, which is logged, leads out of it.
 */
import type { Schedule } from './poll.ts';

export type PollStatus = 'draft' | 'open' | 'paused' | 'closing' | 'closed';

/**
 * The state at `now`. `settledThrough` is the time up to which every accepted ballot has been recorded:
 * `now` itself when nothing waits. Both by the ledger's clock, in milliseconds.
 */
export function pollStatusAt(schedule: Schedule, now: number, settledThrough: number = now): PollStatus {
  const { opensAt, closesAt, pausedAt } = schedule;
  if (opensAt === null || now < opensAt) return 'draft';
  if (closesAt !== null && now >= closesAt) return settledThrough >= closesAt ? 'closed' : 'closing';
  return pausedAt === null ? 'open' : 'paused';
}

/** A step that the poll's state does not allow, in words for its manager. */
export type StepRefused = { readonly refused: string };
export type StepTaken = { readonly schedule: Schedule };
export type Step = StepRefused | StepTaken;

/** Opens a draft now, or lets voting go on after a pause. */
export function openPoll(schedule: Schedule, now: number): Step {
  const status = pollStatusAt(schedule, now);
  if (status === 'draft' && schedule.closesAt !== null && schedule.closesAt <= now) {
    return { refused: 'The closing time has passed. Set another one first.' };
  }
  if (status === 'draft') return { schedule: { ...schedule, opensAt: now } };
  if (status === 'paused') return { schedule: { ...schedule, pausedAt: null } };
  return { refused: status === 'open' ? 'The poll is open already.' : 'The poll is closed. Reopen it instead.' };
}

export function pausePoll(schedule: Schedule, now: number): Step {
  const status = pollStatusAt(schedule, now);
  if (status === 'open') return { schedule: { ...schedule, pausedAt: now } };
  return { refused: `Only an open poll can be paused, and this one is ${status}.` };
}

export function closePoll(schedule: Schedule, now: number): Step {
  const status = pollStatusAt(schedule, now);
  if (status === 'open' || status === 'paused') return { schedule: { ...schedule, closesAt: now } };
  return { refused: status === 'draft' ? 'The poll was never open.' : 'The poll is closed already.' };
}

/** Sets a new closing time for a poll that has not closed: later, earlier, or none (null). It must lie in the future. */
export function extendPoll(schedule: Schedule, now: number, closesAt: number | null): Step {
  const status = pollStatusAt(schedule, now);
  if (status === 'closed' || status === 'closing') return { refused: 'The poll is closed. Reopen it instead.' };
  return closingAt(schedule, now, closesAt);
}

/** Opens a closed poll again, until `closesAt` or, with null, until somebody closes it. */
export function reopenPoll(schedule: Schedule, now: number, closesAt: number | null): Step {
  const status = pollStatusAt(schedule, now);
  if (status !== 'closed') return { refused: `Only a closed poll can be reopened, and this one is ${status}.` };
  return closingAt({ ...schedule, pausedAt: null }, now, closesAt);
}

/** The last moment of the year 9999: later ones have no RFC 3339 form. */
export const timeMax = Date.UTC(10_000, 0) - 1;

function closingAt(schedule: Schedule, now: number, closesAt: number | null): Step {
  if (closesAt !== null && closesAt <= Math.max(now, schedule.opensAt ?? now)) {
    return { refused: 'The closing time must lie in the future and after the opening time.' };
  }
  if (closesAt !== null && closesAt > timeMax) return { refused: 'The closing time must lie before the year 10000.' };
  return { schedule: { ...schedule, closesAt } };
}
