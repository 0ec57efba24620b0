/** Ballots and receipts as they travel. */
import { Type, type Static } from 'typebox';
import { exampleBallot, exampleBallotStatus, exampleReceipt } from './examples.ts';

const selections = Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
  maxItems: 200,
  description: 'The ids of the selected options.',
});
const userId = Type.String({
  minLength: 1,
  maxLength: 255,
  description: 'The voter, in polls whose electorate is `declared`.',
});

export const NewBallot = Type.Object(
  { selections, userId: Type.Optional(userId) },
  { additionalProperties: false, title: 'NewBallot', description: 'What a voter selects.', examples: [exampleBallot] },
);
export type NewBallot = Static<typeof NewBallot>;

/** One line of a batch: the same, with what a single ballot has in its headers. */
export const BatchBallot = Type.Object(
  {
    selections,
    userId: Type.Optional(userId),
    token: Type.Optional(
      Type.String({ maxLength: 8_192, description: 'The token of the voter, in polls whose electorate is `token`.' }),
    ),
    idempotencyKey: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
  },
  { additionalProperties: false },
);
export type BatchBallot = Static<typeof BatchBallot>;

export const Receipt = Type.Object(
  {
    ballotId: Type.String({ description: 'A UUID. Whoever holds it can ask what became of the ballot.' }),
    pollId: Type.String(),
    castAt: Type.Union([Type.String(), Type.Null()], {
      description: "By the ledger's clock; null before the ballot is counted.",
    }),
    version: Type.Union([Type.Integer(), Type.Null()], {
      description:
        'A tally with a lower version does not hold this ballot yet. null where the poll hides its results, and before the ballot is counted.',
    }),
    status: Type.Optional(
      Type.Literal('received', { description: 'The log has the ballot durably. Ask at `Location` what became of it.' }),
    ),
  },
  { title: 'Receipt', description: 'The ballot is counted, and this is its receipt.', examples: [exampleReceipt] },
);
export type Receipt = Static<typeof Receipt>;

export const BallotStatus = Type.Object(
  {
    ballotId: Type.String(),
    pollId: Type.Union([Type.String(), Type.Null()], {
      description: 'null while the ballot is on its way, and where the poll was deleted.',
    }),
    castAt: Type.Union([Type.String(), Type.Null()], {
      description: 'null while a ballot with an idempotency key is on its way.',
    }),
    status: Type.Union(
      [
        Type.Literal('received'),
        Type.Literal('validating'),
        Type.Literal('counted'),
        Type.Literal('superseded'),
        Type.Literal('failed'),
      ],
      {
        description:
          '`received` and `validating`: accepted, and on its way into the ledger. `superseded`: accepted, and a later ballot of the same voter ' +
          'counts in its place. `failed`: accepted, and refused when it was recorded.',
      },
    ),
    processing: Type.Union(
      [Type.Literal('received'), Type.Literal('validating'), Type.Literal('processed'), Type.Literal('failed')],
      {
        description: 'How far it is: `processed` once it is counted or superseded.',
      },
    ),
    reason: Type.Optional(Type.String({ description: 'Why it failed: one of docs/errors.md.' })),
  },
  { title: 'BallotStatus', description: 'What became of it.', examples: [exampleBallotStatus] },
);
export type BallotStatus = Static<typeof BallotStatus>;

/** A ballot in the ledger, as pages show it. */
export type CountedBallot = {
  readonly ballotId: string;
  readonly pollId: string;
  readonly castAt: string;
  readonly status: 'counted' | 'superseded';
};
