/** What the routes of the contract `live` take and answer, for the description of the API. Nothing is checked by these schemas. */
import { Type } from 'typebox';
import { readsHeaders, type Answers } from '../http/answers.ts';
import { brokenDetails, detailAnswers } from './detail-errors.ts';
import { idCharsMax } from './live-bodies.ts';

const params = Type.Object({
  poll_id: Type.String({
    minLength: 1,
    maxLength: idCharsMax,
    description: 'Characters of any kind, percent-encoded.',
    examples: ['final'],
  }),
});

export const voteReads = {
  params,
  body: Type.Object(
    { option_id: Type.String({ minLength: 1, maxLength: idCharsMax }) },
    { examples: [{ option_id: 'A' }] },
  ),
  headers: readsHeaders('Idempotency-Key'),
};

export const voteAnswers: Answers = {
  200: Type.Object(
    { status: Type.Literal('success'), message: Type.Literal('Vote accepted') },
    {
      description: 'The vote is recorded. With a broker: the broker has it durably.',
      examples: [{ status: 'success', message: 'Vote accepted' }],
    },
  ),
  ...detailAnswers({
    400: ['The `Idempotency-Key` has a wrong form.', 'Idempotency-Key takes 1 to 255 printable ASCII characters.'],
    403: [
      'The voters of this poll have names, or making a poll takes the create key.',
      'This is not the create key of this server.',
    ],
    404: ['A poll that somebody made has no such option.', 'Option not found'],
    409: ['The poll is not open, or the `Idempotency-Key` came with another vote.', 'Voting is paused.'],
    413: ['The body is too large.', 'The body is larger than this route reads.'],
    422: [
      'The body is not JSON, or a field is missing or wrong.',
      [{ type: 'missing', loc: ['body', 'option_id'], msg: 'Field required' }],
    ],
    429: ['There are as many options or polls as there may be.', 'This poll has as many options as it may have.'],
    ...brokenDetails,
  }),
};

export const resultsReads = { params };

export const resultsAnswers: Answers = {
  200: Type.Object(
    {
      poll_id: Type.String(),
      results: Type.Record(Type.String(), Type.Integer(), { description: 'Votes by the id of the option.' }),
      served_via: Type.String(),
    },
    {
      description: 'The votes.',
      examples: [{ poll_id: 'final', results: { A: 12, B: 7 }, served_via: 'in_memory' }],
    },
  ),
  ...detailAnswers({
    403: ['The results are hidden.', 'The results are hidden.'],
    422: [
      'The id of the poll cannot be one.',
      [{ type: 'string_too_long', loc: ['path', 'poll_id'], msg: 'String should have at most 128 characters' }],
    ],
    ...brokenDetails,
  }),
};
