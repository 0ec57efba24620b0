/** Tallies and leaderboards as they travel. */
import { Type, type Static } from 'typebox';
import { exampleLeaderboard, exampleTally } from './examples.ts';
import { PollStatus } from './poll.ts';

export const Tally = Type.Object(
  {
    pollId: Type.String(),
    epoch: Type.String({
      description: 'The life of the ledger. When it differs from the one before, versions cannot be compared.',
    }),
    status: PollStatus,
    version: Type.Integer({ description: 'Grows by one with every ballot counted or superseded.' }),
    total: Type.Integer({ description: 'Counted ballots.' }),
    turnout: Type.Union([Type.Number(), Type.Null()], {
      description: 'total / electorateSize; null where the electorate is not known.',
    }),
    counts: Type.Array(
      Type.Object({
        optionId: Type.String(),
        votes: Type.Integer(),
        lastTenMinutes: Type.Integer({ description: 'Votes cast later than 600 s ago.' }),
      }),
      { description: 'In ballot order.' },
    ),
    lastTenMinutes: Type.Integer({
      description: 'Votes of all options cast later than 600 s ago. It falls as votes age.',
    }),
    votesPerSecond: Type.Number({ description: 'The mean over the last ten whole seconds.' }),
  },
  { title: 'Tally', description: 'The tally as it stands.', examples: [exampleTally] },
);
export type Tally = Static<typeof Tally>;

export const Leaderboard = Type.Object(
  {
    window: Type.Union([Type.Literal('all'), Type.Literal('last_ten_minutes')]),
    asOf: Type.String(),
    entries: Type.Array(
      Type.Object({
        pollId: Type.String(),
        pollSlug: Type.String(),
        question: Type.String(),
        optionId: Type.String(),
        optionText: Type.String(),
        votes: Type.Integer(),
      }),
      { description: 'Most votes first; ties by the age of the poll, then in ballot order.' },
    ),
  },
  { title: 'Leaderboard', description: 'The leading options.', examples: [exampleLeaderboard] },
);
export type Leaderboard = Static<typeof Leaderboard>;
