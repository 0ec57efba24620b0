/** Polls and ballots as the tests of the pure parts need them. */
import type { Ballot } from './ballot.ts';
import type { OptionId, Poll, PollId } from './poll.ts';

/** An open poll of declared voters with `optionCount` options, whose ids are their numbers. */
export function makePoll(change: Partial<Poll> = {}, optionCount = 3): Poll {
  const numbers = Array.from({ length: optionCount }, (_, index) => index + 1);
  const pollNo = change.pollNo ?? 1;
  return {
    pollNo,
    id: `018f0000-0000-7000-8000-${pollNo.toString().padStart(12, '0')}` as PollId, // Made as the ledger makes them.
    slug: `poll-${pollNo}`,
    joinCode: 'ABCDEF',
    question: 'Tea or coffee?',
    description: null,
    electorate: 'declared',
    electorateSize: null,
    revote: 'refuse',
    visibility: 'always',
    selectionsMin: 1,
    selectionsMax: 1,
    listed: true,
    layout: 'ballot',
    color: null,
    embedParents: [],
    hasLogo: false,
    opensAt: 0,
    closesAt: null,
    pausedAt: null,
    options: numbers.map((optionNo) => ({
      optionNo,
      id: String(optionNo) as OptionId, // The same.
      text: `Option ${optionNo}`,
      description: null,
    })),
    optionNoById: new Map(numbers.map((optionNo) => [String(optionNo), optionNo])),
    ballotForm: 1,
    revision: 1,
    createdAt: 0,
    madeAs: null,
    manageKeyHash: Buffer.alloc(32),
    ...change,
  };
}

/** 16 bytes that sort as their number does. */
export function toKey(number: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(number, 10, 6);
  return bytes;
}

export function makeBallot(poll: Poll, idNo: number, change: Partial<Ballot> = {}): Ballot {
  const voterKey = toKey(1_000_000 + idNo);
  return { poll, id: toKey(idNo), acceptedUs: null, voterKey, retryKey: null, selections: [1], ...change };
}
