/** What a manager does with a poll besides voting: its picture, taking the results away, deleting it. */
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { Poll as PollView, PollName } from '../../../protocol/poll.ts';
import { examplePoll, exampleReceipt, exampleTally } from '../../../protocol/examples.ts';
import { toShares } from '../../../protocol/shares.ts';
import { Tally } from '../../../protocol/tally.ts';
import { toPollView, toTallyView } from '../../board/views.ts';
import { AppError } from '../../errors.ts';
import type { Poll } from '../../poll/poll.ts';
import { emptyAnswer, refusalsOf, type Answer } from '../answers.ts';
import { securityOf } from '../api-document.ts';
import { toCsv } from '../csv.ts';
import type { HttpApp, HttpParts } from '../parts.ts';
import { findPoll, requireManager } from '../requests.ts';

const params = Type.Object({ poll: PollName });
/** What these routes say alike: they are for managers. */
const managed = { tags: ['polls'], params, security: securityOf.manager } as const;
const logoBytesMax = 64 * 1024;
const manager = { manager: true, voted: false } as const;

export function registerPollEndRoutes(app: HttpApp, parts: HttpParts): void {
  registerExport(app, parts);
  registerLogo(app, parts);

  app.delete(
    '/api/v1/polls/:poll',
    {
      schema: {
        operationId: 'deletePoll',
        summary: 'Delete a poll',
        description:
          'With its ballots, its tallies and its log, for good. The body repeats the question, so that nobody deletes the wrong one.',
        ...managed,
        body: Type.Object(
          { question: Type.String({ description: 'The question of the poll, to the letter.' }) },
          { examples: [{ question: examplePoll.question }] },
        ),
        answers: { 204: emptyAnswer('The poll is gone.') },
        refusals: [...refusalsOf.manager, ...refusalsOf.body, 'poll_invalid'],
      },
    },
    async (request, reply) => {
      const poll = await findManaged(parts, request, request.params.poll);
      if (request.body.question !== poll.question) {
        const violations = [{ pointer: '/question', rule: 'other_question' }];
        throw new AppError('poll_invalid', 'This is not the question of the poll.', { violations });
      }
      await parts.managePoll.remove(poll);
      return reply.code(204).send(null);
    },
  );
}

const ExportedBallot = Type.Object({
  ballotId: Type.String(),
  castAt: Type.String(),
  selections: Type.Array(Type.String(), { description: 'The ids of the selected options.' }),
});
const exampleExported = { ballotId: exampleReceipt.ballotId, castAt: exampleReceipt.castAt, selections: ['1'] };
const exported: Answer = {
  description: 'The export, by its `format`.',
  content: {
    'text/csv': { schema: Type.String(), example: 'option_id,option,votes,percent\r\n1,Tea,1,100\r\n2,Coffee,0,0\r\n' },
    'application/json': {
      schema: Type.Object({ poll: PollView, tally: Tally, ballots: Type.Array(ExportedBallot) }),
      example: { poll: examplePoll, tally: exampleTally, ballots: [exampleExported] },
    },
    'application/x-ndjson': {
      schema: Type.String({ description: 'One ballot a line.' }),
      example: `${JSON.stringify(exampleExported)}\n`,
    },
  },
  headers: { 'Content-Disposition': 'The name of the file.' },
};

function registerExport(app: HttpApp, parts: HttpParts): void {
  const formats = Type.Union([Type.Literal('csv'), Type.Literal('json'), Type.Literal('ballots')], { default: 'csv' });
  app.get(
    '/api/v1/polls/:poll/export',
    {
      schema: {
        operationId: 'exportPoll',
        summary: 'Take the results away',
        description:
          '`csv`: a row for each option. `json`: the poll, its tally, and every counted ballot. `ballots`: the ballots alone, as NDJSON. A ballot has its id, ' +
          'so whoever holds a receipt finds its selections in the export; who cast it is in none of them. An export that breaks off is not whole.',
        ...managed,
        querystring: Type.Object({ format: Type.Optional(formats) }),
        answers: { 200: exported },
        refusals: refusalsOf.manager,
      },
    },
    async (request, reply) => {
      const poll = await findManaged(parts, request, request.params.poll);
      return sendExport(parts, poll, request.query.format ?? 'csv', reply);
    },
  );
}

function sendExport(
  parts: HttpParts,
  poll: Poll,
  format: 'csv' | 'json' | 'ballots',
  reply: FastifyReply,
): FastifyReply {
  const status = parts.results.statusOf(poll);
  const tally = parts.results.tallyOf(poll, manager);
  if (tally === null) throw new AppError('internal', 'A manager sees every tally.');
  const extension = { csv: 'csv', json: 'json', ballots: 'ndjson' }[format];
  void reply
    .header('cache-control', 'no-store')
    .header('x-content-type-options', 'nosniff')
    .header('content-disposition', `attachment; filename="${poll.slug}.${extension}"`);
  switch (format) {
    case 'csv': {
      const votes = poll.options.map(({ optionNo }) => tally.votesOf(optionNo));
      const shares = toShares(votes);
      const rows = poll.options.map(({ id, text }, index) => [id, text, votes[index] ?? 0, (shares[index] ?? 0) / 10]);
      return reply.type('text/csv; charset=utf-8').send(toCsv([['option_id', 'option', 'votes', 'percent'], ...rows]));
    }
    case 'json': {
      const head = JSON.stringify({
        poll: toPollView(poll, status),
        tally: toTallyView(poll, status, tally, parts.results.epoch),
      });
      return reply.type('application/json; charset=utf-8').send(Readable.from(toDocument(parts, poll, head)));
    }
    case 'ballots':
      return reply.type('application/x-ndjson; charset=utf-8').send(Readable.from(toLines(parts, poll)));
  }
}

async function* toLines(parts: BallotReading, poll: Poll): AsyncGenerator<string> {
  for await (const page of toBallotTexts(parts, poll)) yield page.map((text) => `${text}\n`).join('');
}

/** `head` is an object as JSON; the ballots become its last member. */
async function* toDocument(parts: BallotReading, poll: Poll, head: string): AsyncGenerator<string> {
  yield `${head.slice(0, -1)},"ballots":[`;
  let separator = '';
  for await (const page of toBallotTexts(parts, poll)) {
    yield `${separator}${page.join(',')}`;
    separator = ',';
  }
  yield ']}';
}

type BallotReading = Pick<HttpParts, 'readBallots' | 'polls'>;

/** Pages of ballots as JSON. @throws {AppError} `poll_not_found` where the poll was deleted meanwhile, and so some may be missing */
async function* toBallotTexts({ readBallots, polls }: BallotReading, poll: Poll): AsyncGenerator<string[]> {
  for await (const page of readBallots(poll.pollNo)) {
    yield page.map(({ ballotId, castAt, selections }) => {
      const optionIds = selections.map((optionNo) => poll.options[optionNo - 1]?.id);
      return JSON.stringify({ ballotId, castAt: new Date(castAt).toISOString(), selections: optionIds });
    });
  }
  if ((await polls.find(poll.id)) === null) throw new AppError('poll_not_found', 'The poll was deleted.');
}

const pictures = {
  content: Object.fromEntries(
    ['image/png', 'image/jpeg', 'image/webp'].map((type) => [
      type,
      { schema: Type.String({ contentMediaType: type }) },
    ]),
  ),
};

function registerLogo(app: HttpApp, parts: HttpParts): void {
  app.register(async (logoApp) => {
    logoApp.removeAllContentTypeParsers();
    logoApp.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    logoApp.put<{ Params: { poll: string } }>(
      '/api/v1/polls/:poll/logo',
      {
        bodyLimit: logoBytesMax,
        schema: {
          operationId: 'setPollLogo',
          summary: 'Give a poll a picture',
          description: 'PNG, JPEG or WebP, at most 64 KiB, as the body.',
          ...managed,
          reads: { body: pictures },
          answers: { 200: PollView },
          refusals: [...refusalsOf.manager, ...refusalsOf.body],
        },
      },
      async (request) => {
        const poll = await findManaged(parts, request, request.params.poll);
        const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const type = findPictureType(bytes);
        if (type === null) throw new AppError('media_type_unsupported', 'A logo is a PNG, JPEG or WebP picture.');
        const changed = await parts.managePoll.setLogo(poll, { type, bytes });
        return toPollView(changed, parts.results.statusOf(changed));
      },
    );
    logoApp.delete<{ Params: { poll: string } }>(
      '/api/v1/polls/:poll/logo',
      {
        schema: {
          operationId: 'removePollLogo',
          summary: 'Take the picture of a poll away',
          ...managed,
          answers: { 200: PollView },
          refusals: refusalsOf.manager,
        },
      },
      async (request) => {
        const poll = await findManaged(parts, request, request.params.poll);
        const changed = await parts.managePoll.setLogo(poll, null);
        return toPollView(changed, parts.results.statusOf(changed));
      },
    );
  });
}

/** By its first bytes: what a client says of a file proves nothing. SVG is not among them, because it can hold scripts. */
function findPictureType(bytes: Buffer): string | null {
  if (bytes.subarray(0, 8).equals(Buffer.from('\u0089PNG\r\n\u001a\n', 'latin1'))) return 'image/png';
  if (bytes.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff]))) return 'image/jpeg';
  const isWebP = bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP';
  return isWebP ? 'image/webp' : null;
}

async function findManaged(parts: HttpParts, request: FastifyRequest, name: string): Promise<Poll> {
  const poll = await findPoll(parts, name);
  requireManager(parts, request, poll);
  return poll;
}
