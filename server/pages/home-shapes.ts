/** What the home page takes and answers, for the description of the API. Nothing is checked by these schemas. */
import type { FastifySchema } from 'fastify';
import { Type } from 'typebox';
import { answerOf, emptyAnswer, refusalsOf, withHeaders, type Answer } from '../http/answers.ts';

const page = { 'text/html': { schema: Type.String() } };
/** Browsers get it as a page, programs as a problem. */
const refusalPage: Answer = { description: '', content: page };

const Healthy = Type.Object({ status: Type.Literal('healthy') });
const healthy = answerOf('application/json', Healthy, '', { status: 'healthy' });

export const homeShape = {
  operationId: 'readHome',
  summary: 'The home page, or for programs a sign of life',
  tags: ['service'],
  answers: {
    200: withHeaders(
      {
        description: 'For browsers, which ask for HTML, the page; for all others JSON.',
        content: { ...healthy.content, ...page },
      },
      { Vary: '`Accept`' },
    ),
    500: refusalPage,
  },
  refusals: ['internal'],
} as const satisfies FastifySchema;

export const formShape = {
  operationId: 'createPollByForm',
  summary: 'Create a poll by a form',
  description:
    'For browsers without a script. Programs have `POST /api/v1/polls`. A server with a create key takes no such forms.',
  tags: ['polls'],
  reads: {
    body: {
      content: {
        'application/x-www-form-urlencoded': {
          schema: Type.Object(
            {
              question: Type.String(),
              option: Type.Array(Type.String(), {
                description: 'Sent once for each option, or with one option a line.',
              }),
              kind: Type.Optional(
                Type.Union([Type.Literal('single'), Type.Literal('several'), Type.Literal('board')], {
                  description:
                    '`single` (the default): one option a voter. `several`: any number. `board`: each with a button of its own.',
                }),
              ),
            },
            { examples: [{ question: 'Tea or coffee?', option: ['Tea', 'Coffee'] }] },
          ),
        },
      },
    },
  },
  answers: {
    303: emptyAnswer('The poll is made.', { Location: 'The page of its manager, with the manage key behind `#`.' }),
    400: refusalPage,
    401: refusalPage,
    403: refusalPage,
    409: refusalPage,
    413: refusalPage,
    415: refusalPage,
    422: { description: 'The home page, which says what is wrong.', content: page },
    500: refusalPage,
    503: refusalPage,
  },
  refusals: [...refusalsOf.reading, ...refusalsOf.body, 'credential_missing', 'origin_forbidden', 'slug_taken'],
} as const satisfies FastifySchema;
