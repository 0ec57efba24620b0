/** What the routes of the contract `election` take and answer, for the description of the API. Nothing is checked by these schemas. */
import { Type } from 'typebox';
import { readsHeaders, withHeaders, type Answers } from '../http/answers.ts';
import { brokenDetails, detailAnswers } from './detail-errors.ts';
import { limitDefault, limitMax } from './election-bodies.ts';

const candidateId = 'c0000000-0000-4000-8000-000000000001';
const voteId = '0198a1f3-02d4-7c11-8e5b-9a4f3c2d1e00';
const time = '2030-03-30T18:00:07.000Z';
const missing = { type: 'missing', loc: ['body', 'candidate_id'], msg: 'Field required' };
const noElection = ['There is no election, or no such candidate.', 'Candidate not found'] as const;

export const voteReads = {
  body: Type.Object(
    {
      candidate_id: Type.String({ description: 'A UUID, in any of its spellings.' }),
      user_token: Type.Optional(
        Type.Union([Type.String(), Type.Null()], {
          description: 'The token (JWT) of the user, where it does not come as `Authorization: Bearer`.',
        }),
      ),
    },
    { examples: [{ candidate_id: candidateId, user_token: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl' }] },
  ),
  headers: readsHeaders('Idempotency-Key'),
};

export const voteAnswers: Answers = {
  202: withHeaders(
    Type.Object(
      {
        status: Type.Literal('accepted'),
        message: Type.String(),
        timestamp: Type.String(),
        vote_id: Type.String({ description: 'A UUID. Ask at `Location` what became of the vote.' }),
      },
      {
        description: 'The vote is accepted, and will be processed.',
        examples: [{ status: 'accepted', message: 'Vote accepted for processing', timestamp: time, vote_id: voteId }],
      },
    ),
    { Location: 'Where to ask what became of the vote.' },
  ),
  ...detailAnswers({
    400: ['The `Idempotency-Key` has a wrong form.', 'Idempotency-Key takes 1 to 255 printable ASCII characters.'],
    401: ['No token was sent, or it is not valid.', 'Could not validate credentials: no token was sent.'],
    404: noElection,
    409: ['The election is not open, or the `Idempotency-Key` came with another vote.', 'Voting is paused.'],
    413: ['The body is too large.', 'The body is larger than this route reads.'],
    422: ['The body is not JSON, or a field is missing or wrong.', [missing]],
    429: ['The user has sent too many votes.', 'Rate limit exceeded. Try again later.'],
    ...brokenDetails,
  }),
};

export const statusReads = { params: Type.Object({ voteId: Type.String({ description: 'The `vote_id`.' }) }) };

export const statusAnswers: Answers = {
  200: Type.Object(
    {
      vote_id: Type.String(),
      processing_status: Type.Union(
        [Type.Literal('received'), Type.Literal('validating'), Type.Literal('processed'), Type.Literal('failed')],
        { description: '`processed`: it is counted. `failed`: it is not, and `reason` says why.' },
      ),
      reason: Type.Optional(Type.String({ description: 'One of docs/errors.md, such as `ballot_already_cast`.' })),
      candidate_id: Type.Union([Type.String(), Type.Null()], { description: 'null while the vote is under way.' }),
      timestamp: Type.Union([Type.String(), Type.Null()]),
    },
    {
      description: 'What became of it.',
      examples: [{ vote_id: voteId, processing_status: 'processed', candidate_id: candidateId, timestamp: time }],
    },
  ),
  ...detailAnswers({ 404: ['No vote has this id.', 'Vote not found'], ...brokenDetails }),
};

export const resultsReads = {
  querystring: Type.Object({
    page: Type.Optional(Type.Integer({ minimum: 1, default: 1 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limitMax, default: limitDefault })),
    candidate_id: Type.Optional(Type.String({ description: 'Only this candidate.' })),
  }),
};

export const resultsAnswers: Answers = {
  200: Type.Object(
    {
      results: Type.Array(
        Type.Object({ candidate_id: Type.String(), name: Type.String(), vote_count: Type.Integer() }),
        { description: 'Most votes first.' },
      ),
      last_updated: Type.String(),
    },
    {
      description: 'The results.',
      examples: [{ results: [{ candidate_id: candidateId, name: 'Ada', vote_count: 1 }], last_updated: time }],
    },
  ),
  ...detailAnswers({
    400: ['`page` or `limit` is out of range.', 'Page number must be 1 or greater.'],
    403: ['The results are hidden.', 'The results are hidden.'],
    404: ['There is no election.', 'There is no election.'],
    422: [
      'A parameter cannot be read.',
      [{ type: 'uuid_parsing', loc: ['query', 'candidate_id'], msg: 'Input should be a valid UUID' }],
    ],
    ...brokenDetails,
  }),
};
