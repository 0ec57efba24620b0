/**
 * What live streams carry: the same frames over WebSocket (`/api/v1/live`), server-sent events and long polls.
 *
 * Every frame about a tally is the whole tally of one poll, so a lost, repeated or late frame does no harm: a reader keeps
 * the frame with the highest position and drops the others. The position of a tally is (epoch, version); of a poll's terms and
 * status, its revision and status; of a pulse, nothing: the last one stands.
 */
import { Type, type Static } from 'typebox';
import { Poll, PollStatus } from './poll.ts';
import { Leaderboard } from './tally.ts';

const pollId = Type.String({ description: 'The id of the poll.' });
const epoch = Type.String({
  description: 'The life of the ledger. When it differs from the one before, versions cannot be compared: start anew.',
});

const tallyFields = {
  poll: pollId,
  epoch,
  version: Type.Integer({ description: 'Grows by one with every ballot counted or superseded.' }),
  total: Type.Integer({ description: 'Counted ballots.' }),
  turnout: Type.Union([Type.Number(), Type.Null()]),
  counts: Type.Array(Type.Object({ optionId: Type.String(), votes: Type.Integer(), lastTenMinutes: Type.Integer() }), {
    description: 'In ballot order.',
  }),
  lastTenMinutes: Type.Integer(),
  votesPerSecond: Type.Number(),
};

/** A tally that has grown. On one connection its version is higher than that of every frame before. */
export const TallyFrame = Type.Object({ type: Type.Literal('tally'), ...tallyFields, status: PollStatus });
export type TallyFrame = Static<typeof TallyFrame>;

/** The first frame of a subscription: the poll, and its tally as it stands. */
export const SnapshotFrame = Type.Object({
  type: Type.Literal('snapshot'),
  ...tallyFields,
  status: PollStatus,
  terms: Poll,
  online: Type.Integer({ description: 'Live connections that follow this poll at this server.' }),
});
export type SnapshotFrame = Static<typeof SnapshotFrame>;

/** In place of the snapshot, and of every tally, for whoever may not see the results (yet). */
export const HiddenFrame = Type.Object({
  type: Type.Literal('hidden'),
  poll: pollId,
  epoch,
  status: PollStatus,
  terms: Poll,
});
export type HiddenFrame = Static<typeof HiddenFrame>;

/** The poll has changed: its status, its times, its texts. */
export const PollFrame = Type.Object({
  type: Type.Literal('poll'),
  poll: pollId,
  status: PollStatus,
  terms: Poll,
});
export type PollFrame = Static<typeof PollFrame>;

/** What changes without a ballot: votes age out of the window, people come and go. At most one a second. */
export const PulseFrame = Type.Object({
  type: Type.Literal('pulse'),
  poll: pollId,
  lastTenMinutes: Type.Integer(),
  counts: Type.Array(Type.Object({ optionId: Type.String(), lastTenMinutes: Type.Integer() })),
  votesPerSecond: Type.Number(),
  online: Type.Integer(),
});
export type PulseFrame = Static<typeof PulseFrame>;

/** The leading options of all open polls. */
export const LeaderboardFrame = Type.Object({ type: Type.Literal('leaderboard'), leaderboard: Leaderboard });
export type LeaderboardFrame = Static<typeof LeaderboardFrame>;

/** Sent when nothing else was for `--live-heartbeat-ms`. A reader that misses two takes the connection for lost. */
export const HeartbeatFrame = Type.Object({
  type: Type.Literal('heartbeat'),
  at: Type.String({ description: "By the ledger's clock." }),
});
export type HeartbeatFrame = Static<typeof HeartbeatFrame>;

/** A message that could not be done. The socket stays. */
export const ErrorFrame = Type.Object({
  type: Type.Literal('error'),
  code: Type.String({ description: 'One of docs/errors.md.' }),
  detail: Type.String(),
  poll: Type.Optional(Type.String({ description: 'As the client named it.' })),
});
export type ErrorFrame = Static<typeof ErrorFrame>;

export const ServerFrame = Type.Union([
  SnapshotFrame,
  HiddenFrame,
  TallyFrame,
  PollFrame,
  PulseFrame,
  LeaderboardFrame,
  HeartbeatFrame,
  ErrorFrame,
]);
export type ServerFrame = Static<typeof ServerFrame>;

const pollName = Type.String({ minLength: 1, maxLength: 128, description: 'The id or the slug of a poll.' });
const closed = { additionalProperties: false } as const;

/**
 * What a client sends over the WebSocket. `manageKey` or `ballot` (the id on a receipt) show hidden results where they may;
 * a browser's cookies do the same.
 */
export const ClientMessage = Type.Union([
  Type.Object(
    {
      type: Type.Literal('subscribe'),
      poll: Type.Optional(pollName),
      polls: Type.Optional(Type.Array(pollName, { minItems: 1, maxItems: 50 })),
      manageKey: Type.Optional(Type.String({ maxLength: 64 })),
      ballot: Type.Optional(Type.String({ maxLength: 64 })),
    },
    closed,
  ),
  Type.Object(
    {
      type: Type.Literal('subscribe_leaderboard'),
      window: Type.Optional(Type.Union([Type.Literal('all'), Type.Literal('last_ten_minutes')])),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
    },
    closed,
  ),
  Type.Object({ type: Type.Literal('unsubscribe'), poll: pollName }, closed),
  Type.Object({ type: Type.Literal('unsubscribe_leaderboard') }, closed),
  Type.Object({ type: Type.Literal('ping') }, closed),
]);
export type ClientMessage = Static<typeof ClientMessage>;
