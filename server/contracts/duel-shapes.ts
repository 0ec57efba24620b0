/** What the front page of the contract `duel` takes and answers, for the description of the API. Nothing is checked by these schemas. */
import type { FastifySchema } from 'fastify';
import { Type } from 'typebox';
import { answerOf, withHeaders, type Answer } from '../http/answers.ts';

const cookie = { 'Set-Cookie': 'The cookie `voter_id`, which tells this browser from others.' };

function page(description: string): Answer {
  return answerOf('text/html', Type.String(), description);
}

/** No poll has the slug `duel`, or the server cannot answer. */
const refusals = {
  404: page('There is no duel.'),
  500: page('Something went wrong in the server.'),
  503: page('The server cannot answer now.'),
};

export const pageShape = {
  operationId: 'readDuel',
  summary: 'The vote page of the duel',
  tags: ['contracts'],
  answers: { 200: withHeaders(page('The page, with its two buttons.'), cookie), ...refusals },
} as const satisfies FastifySchema;

export const voteShape = {
  operationId: 'voteInDuel',
  summary: 'Vote in the duel',
  description: 'One vote per browser; a later one counts in place of the earlier one.',
  tags: ['contracts'],
  security: [{}, { voterCookie: [] }],
  reads: {
    body: {
      content: {
        'application/x-www-form-urlencoded': {
          schema: Type.Object(
            { vote: Type.Union([Type.Literal('a'), Type.Literal('b')]) },
            { examples: [{ vote: 'a' }] },
          ),
        },
      },
    },
  },
  answers: {
    200: withHeaders(page('The page, which marks the vote. It is recorded.'), cookie),
    ...refusals,
    503: withHeaders(refusals[503], cookie),
    400: page('The form names neither of the two options.'),
    403: page('The form was sent by a page of another site.'),
    409: withHeaders(page('The duel is not open.'), cookie),
    413: page('The form is too large.'),
  },
} as const satisfies FastifySchema;
