/** What the routes of the contract `features` take and answer, for the description of the API. Nothing is checked by these schemas. */
import { Type } from 'typebox';
import { readsHeaders, refusalOf, refusalsOf, type Answers } from '../http/answers.ts';
import type { ErrorCode } from '../errors.ts';

export const voteReads = {
  body: Type.Object(
    {
      feature_id: Type.Union([Type.Integer(), Type.String({ pattern: '^\\d{1,15}$' })], {
        description:
          'The id of a feature: a whole number, or a text that is one. Other members of the body change nothing.',
      }),
    },
    { examples: [{ feature_id: 1 }] },
  ),
  headers: readsHeaders('Idempotency-Key'),
};

const Refusal = Type.Object({ success: Type.Literal(false), message: Type.String() });

export const voteAnswers: Answers = {
  200: Type.Object(
    { success: Type.Literal(true), message: Type.Literal('Voted successfully') },
    {
      description: 'The vote is recorded. With a broker: the broker has it durably.',
      examples: [{ success: true, message: 'Voted successfully' }],
    },
  ),
  400: refusalOf(
    Refusal,
    'The body is not JSON, has no `feature_id`, or names no feature: `Malformed JSON in request body`, `Missing feature ID in request body`, `Invalid feature ID`.',
    { success: false, message: 'Invalid feature ID' },
  ),
};

export const voteRefusals: readonly ErrorCode[] = [
  'request_malformed',
  'credential_missing',
  'request_timeout',
  'body_too_large',
  'ballot_invalid',
  ...refusalsOf.casting,
  ...refusalsOf.capacity,
];

export const resultAnswers: Answers = {
  200: Type.Object(
    {
      features: Type.Array(Type.Object({ name: Type.String(), cumulative_vote_count: Type.Integer({ minimum: 0 }) }), {
        description: 'In the order of their ids, also those without votes.',
      }),
      total_votes_last_10_min: Type.Integer({
        minimum: 0,
        description: 'Votes of all features that were recorded later than 600 s ago. It falls as votes age.',
      }),
    },
    {
      description: 'The votes by feature.',
      examples: [
        {
          features: [
            { name: 'P1_chatbot', cumulative_vote_count: 10 },
            { name: 'P2_user_generated_content', cumulative_vote_count: 6 },
            { name: 'P3_personalized_push', cumulative_vote_count: 4 },
          ],
          total_votes_last_10_min: 20,
        },
      ],
    },
  ),
};
