/** Ballots and receipts as they travel. */
import { Type, type Static } from 'typebox';

const selections = Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
  maxItems: 200,
  description: 'The ids of the selected options.',
});
const userId = Type.String({
  minLength: 1,
  maxLength: 255,
  description: 'The voter, in polls whose electorate is `declared`.',
});

export const NewBallot = Type.Object({ selections, userId: Type.Optional(userId) }, { additionalProperties: false });
export type NewBallot = Static<typeof NewBallot>;

/** One line of a batch: the same, with the key that a single ballot has in its header. */
export const BatchBallot = Type.Object(
  {
    selections,
    userId: Type.Optional(userId),
    idempotencyKey: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
  },
  { additionalProperties: false },
);
export type BatchBallot = Static<typeof BatchBallot>;

export const Receipt = Type.Object({
  ballotId: Type.String({ description: 'A UUID. Whoever holds it can ask what became of the ballot.' }),
  pollId: Type.String(),
  castAt: Type.String({ description: "By the ledger's clock." }),
  version: Type.Union([Type.Integer(), Type.Null()], {
    description: 'A tally with a lower version does not hold this ballot yet. null where the poll hides its results.',
  }),
});
export type Receipt = Static<typeof Receipt>;

export const BallotStatus = Type.Object({
  ballotId: Type.String(),
  pollId: Type.String(),
  castAt: Type.String(),
  status: Type.Union([Type.Literal('counted'), Type.Literal('superseded')], {
    description: '`superseded`: accepted, and a later ballot of the same voter counts in its place.',
  }),
});
export type BallotStatus = Static<typeof BallotStatus>;
