/** How many ballots of each poll were refused since this process started: what a manager wants to know of a poll's health. */
import type { AppError, ErrorCode } from '../errors.ts';
import type { Poll } from '../poll/poll.ts';

export type Refusals = { readonly duplicates: number; readonly late: number };

export type RefusalCounts = {
  note(poll: Poll, error: AppError): void;
  of(poll: Poll): Refusals;
};

const countedCodes: Partial<Record<ErrorCode, keyof Refusals>> = {
  ballot_already_cast: 'duplicates',
  poll_closed: 'late',
};

/** Refusals of more polls than these are forgotten, the longest-standing first. */
const pollsMax = 10_000;

export function createRefusalCounts(): RefusalCounts {
  const byPoll = new Map<number, { duplicates: number; late: number }>();
  return {
    note({ pollNo }, { code }) {
      const kind = countedCodes[code];
      if (kind === undefined) return;
      let counts = byPoll.get(pollNo);
      if (counts === undefined) {
        counts = { duplicates: 0, late: 0 };
        byPoll.set(pollNo, counts);
        const [oldest] = byPoll.keys();
        if (byPoll.size > pollsMax && oldest !== undefined) byPoll.delete(oldest);
      }
      counts[kind] += 1;
    },
    of: ({ pollNo }) => ({ duplicates: 0, late: 0, ...byPoll.get(pollNo) }),
  };
}
