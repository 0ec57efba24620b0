/** What the routes of the contract `party` take and answer, for the description of the API. Nothing is checked by these schemas. */
import { Type, type TSchema } from 'typebox';
import { optionsMax, optionsMin, optionTextCharsMax, questionCharsMax } from '../poll/check-poll.ts';
import { answerOf, readsHeaders, refusalOf, withHeaders, type Answer, type Answers } from '../http/answers.ts';
import { limitMax, userIdCharsMax } from './party-bodies.ts';

const pollId = '0198a1f2-7c3e-7b60-9d2a-5f0e6c1b4a77';
const optionIds = ['5b1f0c6e-2d8a-4c51-9f0e-7a3d2b1c0e44', 'e0a4b7d2-91c3-4f7e-8a65-1d2c3b4a5f66'] as const;
const voteId = '0198a1f3-02d4-7c11-8e5b-9a4f3c2d1e00';
const time = '2030-03-29T18:00:07.000Z';

const Count = Type.Union([Type.Integer(), Type.Null()], { description: 'null where the poll hides its results.' });
const Time = Type.String({ description: 'RFC 3339 in UTC.' });

const pollFields = {
  id: Type.String({ description: 'A UUID.' }),
  question: Type.String(),
  total_votes: Count,
  options: Type.Array(Type.Object({ option_id: Type.String(), option_text: Type.String(), vote_count: Count })),
  created_at: Time,
  expired_at: Type.Union([Time, Type.Null()], {
    description: 'From then on no vote counts. null for polls that were made elsewhere and do not close by themselves.',
  }),
};
const examplePoll = {
  id: pollId,
  question: 'Which language do you like best?',
  total_votes: 1,
  options: [
    { option_id: optionIds[0], option_text: 'JavaScript', vote_count: 1 },
    { option_id: optionIds[1], option_text: 'Python', vote_count: 0 },
  ],
  created_at: '2030-03-29T18:00:00.000Z',
  expired_at: '2030-03-30T00:00:00.000Z',
};
const unvoted = {
  ...examplePoll,
  total_votes: 0,
  options: examplePoll.options.map((option) => ({ ...option, vote_count: 0 })),
};

const PartyPoll = Type.Object(pollFields, {
  title: 'PartyPoll',
  description: 'The poll with its votes.',
  examples: [examplePoll],
});

const PartyRefusal = Type.Object(
  { error: Type.String(), message: Type.String() },
  { title: 'PartyRefusal', description: 'A refusal.' },
);

/** A refusal in the words of the contract. */
function refused(description: string, error: string, message: string): Answer {
  return refusalOf(PartyRefusal, description, { error, message });
}

const unknownPoll = refused('No poll has this id.', 'Not Found', 'Poll does not exist');
const wrongLimit = refused(
  '`limit` is no whole number from 1 to 100.',
  'Validation Error',
  'limit must be a whole number from 1 to 100',
);

export const pollParams = Type.Object({ id: Type.String({ description: 'The id of the poll.', examples: [pollId] }) });

export const creationReads = {
  body: Type.Object(
    {
      question: Type.String({ minLength: 1, maxLength: questionCharsMax }),
      options: Type.Array(Type.String({ minLength: 1, maxLength: optionTextCharsMax }), {
        minItems: optionsMin,
        maxItems: optionsMax,
        description: 'The texts of the options, all different.',
      }),
      expired_at: Type.String({ description: 'A date in the future, such as `2030-03-30T00:00:00.000Z`.' }),
    },
    {
      examples: [
        { question: examplePoll.question, options: ['JavaScript', 'Python'], expired_at: examplePoll.expired_at },
      ],
    },
  ),
};

export const creationAnswers: Answers = {
  201: withHeaders(
    Type.Object(
      {
        ...pollFields,
        manage_token: Type.String({ description: 'Shown this once. It serves as `Manage-Key` under /api/v1.' }),
      },
      {
        description: 'The poll, with its manage token.',
        examples: [{ ...unvoted, manage_token: 'manage_c2VjcmV0LWJ1dC1leGFtcGxl' }],
      },
    ),
    { Location: 'Where the poll is.' },
  ),
  400: refused(
    'The body is not JSON (`Invalid JSON`), or breaks a rule.',
    'Validation Error',
    'Missing required fields: question, options, expired_at',
  ),
};

export const listReads = {
  querystring: Type.Object({
    limit: limitOf(20),
    before: Type.Optional(Type.String({ description: 'The `next` of the page before.' })),
  }),
};

export const listAnswers: Answers = {
  200: Type.Object(
    {
      data: Type.Array(PartyPoll),
      next: Type.Union([Type.String(), Type.Null()], {
        description: 'The value of `before` for the next page; null on the last.',
      }),
    },
    { description: 'A page of polls.', examples: [{ data: [examplePoll], next: null }] },
  ),
  400: wrongLimit,
  404: refused('`before` names no poll.', 'Not Found', 'Poll does not exist'),
};

export const pollAnswers: Answers = { 200: PartyPoll, 404: unknownPoll };

export const voteReads = {
  body: Type.Object(
    {
      user_id: Type.Union([Type.String({ minLength: 1, maxLength: userIdCharsMax }), Type.Number()], {
        description: 'Who votes, as the client states it. A number becomes text.',
      }),
      option_id: Type.String({ description: 'The id of an option of this poll.' }),
    },
    { examples: [{ user_id: 'user123', option_id: optionIds[0] }] },
  ),
  headers: readsHeaders('Idempotency-Key', 'Prefer'),
};

const voteFields = {
  vote_id: Type.String({ description: 'A UUID. Ask at `/api/v1/ballots/{ballotId}` what became of the vote.' }),
  poll_id: Type.String(),
  option_id: Type.String(),
  user_id: Type.String(),
};
const exampleVote = { vote_id: voteId, poll_id: pollId, option_id: optionIds[0], user_id: 'user123' };

export const voteAnswers: Answers = {
  200: Type.Object(
    { message: Type.Literal('Vote recorded'), ...voteFields, timestamp: Time },
    {
      description: 'The vote is counted. The timestamp is of the clock of the ledger.',
      examples: [{ message: 'Vote recorded', ...exampleVote, timestamp: time }],
    },
  ),
  202: withHeaders(
    Type.Object(
      { message: Type.Literal('Vote accepted'), ...voteFields },
      {
        description: 'The broker has the vote durably, and it will be counted.',
        examples: [{ message: 'Vote accepted', ...exampleVote }],
      },
    ),
    { Location: 'Where to ask what became of the vote.' },
  ),
  400: refused(
    'The body is not JSON (`Invalid JSON`), a field is missing or wrong, or the option is of another poll.',
    'Validation Error',
    'Poll ID, option ID, and user ID are required',
  ),
  403: refused('The voters of this poll are not declared.', 'Forbidden', 'This poll does not take declared users'),
  404: unknownPoll,
  409: refused(
    'The user has voted, the poll is not open, or the `Idempotency-Key` came with another vote.',
    'Conflict',
    'User has already voted on this poll',
  ),
  410: refused('The poll has expired.', 'Gone', 'Poll has expired'),
};

export const leaderboardReads = { querystring: Type.Object({ limit: limitOf(10) }) };

const Leaderboard = Type.Object({
  data: Type.Array(
    Type.Object({
      poll_id: Type.String(),
      poll_question: Type.String(),
      option_id: Type.String(),
      option_text: Type.String(),
      vote_count: Type.Integer(),
    }),
    { description: 'Most votes first; ties by the age of the poll, then in the order of its options.' },
  ),
  timestamp: Time,
});

export const leaderboardAnswers: Answers = {
  200: {
    description: 'The leading options, as JSON, or as a page for browsers.',
    content: {
      ...answerOf('application/json', Leaderboard, '', {
        data: [
          {
            poll_id: pollId,
            poll_question: examplePoll.question,
            option_id: optionIds[0],
            option_text: 'JavaScript',
            vote_count: 1,
          },
        ],
        timestamp: time,
      }).content,
      'text/html': { schema: Type.String() },
    },
  },
  400: wrongLimit,
};

export const healthAnswers: Answers = {
  200: Type.Object(
    { status: Type.Literal('ok'), timestamp: Time },
    { description: 'The process lives.', examples: [{ status: 'ok', timestamp: time }] },
  ),
};

function limitOf(otherwise: number): TSchema {
  return Type.Optional(Type.Integer({ minimum: 1, maximum: limitMax, default: otherwise }));
}
