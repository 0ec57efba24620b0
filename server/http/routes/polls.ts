/** Making, showing and changing polls. */
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import {
  Extension,
  NewPoll,
  Poll as PollView,
  PollCreated,
  PollEdit,
  PollHealth,
  PollList,
  PollLog,
  Reopening,
  PollName,
} from '../../../protocol/poll.ts';
import { examplePollCreated } from '../../../protocol/examples.ts';
import { emptyAnswer, refusalsOf, withHeaders } from '../answers.ts';
import { securityOf } from '../api-document.ts';
import type { PollStep } from '../../intake/manage-poll.ts';
import type { Poll } from '../../poll/poll.ts';
import type { HttpApp, HttpOptions, HttpParts } from '../parts.ts';
import { pollBytesMax, toExtension, toNullableTime, toPollDraft, toPollEdit } from '../poll-body.ts';
import { findPoll, requireCreateKey, requireManager } from '../requests.ts';
import { toPollView } from '../../board/views.ts';
import { toPage } from '../views.ts';

const params = Type.Object({ poll: PollName });
const tags = ['polls'];
/** What routes for managers say alike. */
const managed = { tags, params, security: securityOf.manager } as const;
const pollsShownDefault = 20;

export function registerPollRoutes(app: HttpApp, parts: HttpParts, options: Pick<HttpOptions, 'createKey'>): void {
  const view: View = (poll) => toPollView(poll, parts.results.statusOf(poll));
  registerCreation(app, parts, options, view);
  registerReading(app, parts, view);
  registerSteps(app, parts, view);
  registerManageSession(app, parts);
  registerHealth(app, parts);
}

type View = (poll: Poll) => PollView;

function registerCreation(app: HttpApp, parts: HttpParts, options: Pick<HttpOptions, 'createKey'>, view: View): void {
  const { managePoll, results } = parts;

  app.post(
    '/api/v1/polls',
    {
      bodyLimit: pollBytesMax,
      schema: {
        operationId: 'createPoll',
        summary: 'Create a poll',
        description:
          'It opens at once, unless `draft` or `opensAt` say otherwise. The answer shows the manage key this once.',
        tags,
        security: securityOf.creator,
        body: NewPoll,
        answers: { 201: withHeaders(PollCreated, { Location: 'Where the poll is.' }) },
        refusals: [
          ...refusalsOf.reading,
          ...refusalsOf.body,
          'credential_missing',
          'create_key_wrong',
          'slug_taken',
          'poll_invalid',
        ],
      },
    },
    async (request, reply) => {
      requireCreateKey(request, options.createKey);
      const { poll, manageKey } = await managePoll.create(toPollDraft(request.body, results.now()));
      void reply.code(201).header('location', `/api/v1/polls/${poll.id}`).header('cache-control', 'no-store');
      return { ...view(poll), manageKey };
    },
  );

  app.patch(
    '/api/v1/polls/:poll',
    {
      bodyLimit: pollBytesMax,
      schema: {
        operationId: 'editPoll',
        summary: 'Change a poll',
        description: 'Options, electorate, revote and selections are frozen by the first ballot.',
        ...managed,
        body: PollEdit,
        answers: { 200: PollView },
        refusals: [...refusalsOf.manager, ...refusalsOf.body, 'options_frozen', 'poll_invalid'],
      },
    },
    async (request) => {
      const poll = await findManaged(parts, request, request.params.poll);
      return view(await managePoll.edit(poll, toPollEdit(request.body)));
    },
  );
}

function registerReading(app: HttpApp, parts: HttpParts, view: View): void {
  const { pollStore, joinDoor, forwarding } = parts;

  app.get(
    '/api/v1/polls',
    {
      schema: {
        operationId: 'listPolls',
        summary: 'Listed polls, newest first',
        tags,
        querystring: Type.Object({
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: pollsShownDefault })),
          before: Type.Optional(Type.String({ description: 'The `next` of the page before.' })),
          joinCode: Type.Optional(
            Type.String({ maxLength: 32, description: 'Only the poll with this join code, listed or not.' }),
          ),
        }),
        answers: { 200: PollList },
        refusals: [...refusalsOf.poll, 'rate_limited'],
      },
    },
    async (request) => {
      const { limit = pollsShownDefault, before, joinCode } = request.query;
      if (joinCode !== undefined) {
        const found = await joinDoor.find(joinCode, forwarding.addressOf(request.raw));
        return { polls: found === null ? [] : [view(found)], next: null };
      }
      const beforePollNo = before === undefined ? null : (await findPoll(parts, before)).pollNo;
      const { polls, next } = toPage(await pollStore.listNewest({ limit: limit + 1, beforePollNo }), limit);
      return { polls: polls.map(view), next };
    },
  );

  app.get(
    '/api/v1/polls/:poll',
    {
      schema: {
        operationId: 'readPoll',
        summary: 'A poll',
        tags,
        params,
        answers: { 200: PollView },
        refusals: refusalsOf.poll,
      },
    },
    async (request, reply) => {
      const poll = await findPoll(parts, request.params.poll);
      void reply.header('cache-control', 'no-cache');
      return view(poll);
    },
  );
}

/** Opening, pausing, closing and what else moves a poll from state to state; and the log of it. */
function registerSteps(app: HttpApp, parts: HttpParts, view: View): void {
  const step = {
    ...managed,
    answers: { 200: PollView },
    refusals: [...refusalsOf.manager, 'poll_state_conflict'],
  } as const;
  const stepWithBody = { ...step, refusals: [...step.refusals, ...refusalsOf.body, 'poll_invalid'] } as const;

  async function take(request: FastifyRequest, name: string, step: PollStep) {
    const poll = await findManaged(parts, request, name);
    return view(await parts.managePoll.take(poll, step));
  }

  for (const name of ['open', 'pause', 'close'] as const) {
    const summary = { open: 'Open a poll, or let voting go on', pause: 'Pause voting', close: 'Close a poll' }[name];
    app.post(`/api/v1/polls/:poll/${name}`, { schema: { operationId: `${name}Poll`, summary, ...step } }, (request) =>
      take(request, request.params.poll, { step: name }),
    );
  }
  app.post(
    '/api/v1/polls/:poll/extend',
    {
      schema: { operationId: 'extendPoll', summary: 'Set another closing time', ...stepWithBody, body: Extension },
    },
    (request) => take(request, request.params.poll, toExtension(request.body)),
  );
  app.post(
    '/api/v1/polls/:poll/reopen',
    {
      schema: {
        operationId: 'reopenPoll',
        summary: 'Open a closed poll again',
        description: 'The body may be left out.',
        ...stepWithBody,
        body: Type.Union([Reopening, Type.Null()], { examples: [{ closesAt: null }] }),
      },
    },
    (request) =>
      take(request, request.params.poll, {
        step: 'reopen',
        closesAt: toNullableTime(request.body?.closesAt, '/closesAt'),
      }),
  );
  app.get(
    '/api/v1/polls/:poll/log',
    {
      schema: {
        operationId: 'readPollLog',
        summary: 'What was done to a poll, and when',
        description: 'For its manager. Voters and ballots are not in it.',
        ...managed,
        answers: { 200: PollLog },
        refusals: refusalsOf.manager,
      },
    },
    async (request, reply) => {
      const poll = await findManaged(parts, request, request.params.poll);
      void reply.header('cache-control', 'no-store');
      return { events: await parts.pollStore.listEvents(poll.pollNo) };
    },
  );
}

/** The manage key in exchange for a cookie, so that pages need not carry the key about. */
function registerManageSession(app: HttpApp, parts: HttpParts): void {
  const path = '/api/v1/polls/:poll/manage-session';

  app.post(
    path,
    {
      schema: {
        operationId: 'beginManageSession',
        summary: 'Exchange the manage key for a cookie',
        description:
          'For the pages of this server. The key comes in the header or in the body; the cookie holds no key.',
        ...managed,
        security: [{}, ...securityOf.manager],
        body: Type.Union(
          [
            Type.Object({ manageKey: Type.Optional(Type.String({ description: 'In place of the header.' })) }),
            Type.Null(),
          ],
          { examples: [{ manageKey: examplePollCreated.manageKey }] },
        ),
        answers: { 204: emptyAnswer('The browser has the cookie.', { 'Set-Cookie': 'The cookie `manages`.' }) },
        refusals: [...refusalsOf.manager, ...refusalsOf.body],
      },
    },
    async (request, reply) => {
      const poll = await findPoll(parts, request.params.poll);
      const { headers, method, body } = request;
      const manageKey = body?.manageKey ?? headers['manage-key'];
      requireManager(parts, { method, headers: { ...headers, 'manage-key': manageKey } }, poll);
      return reply.code(204).header('set-cookie', parts.cookies.toManageCookie(request.headers, poll)).send(null);
    },
  );
  app.delete(
    path,
    {
      schema: {
        operationId: 'endManageSession',
        summary: 'Forget the manage key',
        description: 'The cookie no longer stands for this poll. Nobody need show the key for that.',
        tags,
        params,
        answers: { 204: emptyAnswer('The cookie is changed.', { 'Set-Cookie': 'The cookie without this poll.' }) },
        refusals: refusalsOf.poll,
      },
    },
    async (request, reply) => {
      const poll = await findPoll(parts, request.params.poll);
      return reply
        .code(204)
        .header('set-cookie', parts.cookies.toForgottenManageCookie(request.headers, poll))
        .send(null);
    },
  );
}

/** How a poll is doing, in figures for its manager. */
function registerHealth(app: HttpApp, parts: HttpParts): void {
  app.get(
    '/api/v1/polls/:poll/health',
    {
      schema: {
        operationId: 'readPollHealth',
        summary: 'How a poll is doing',
        description:
          'For its manager. Refusals are counted by this process since it started; those of ballots that came through a broker by all workers.',
        ...managed,
        answers: { 200: PollHealth },
        refusals: refusalsOf.manager,
      },
    },
    async (request, reply) => {
      const poll = await findManaged(parts, request, request.params.poll);
      void reply.header('cache-control', 'no-store');
      const here = parts.refusals.of(poll);
      const recorded = await parts.ballots.countRefusals(poll.pollNo);
      const accepted = parts.results.tallyOf(poll, { manager: true, voted: false })?.ballots ?? 0;
      return {
        accepted,
        // A second ballot is refused here, or after a broker; one that is kept after having been refused here counts once.
        duplicatesRefused: Math.max(here.duplicates, recorded.get('ballot_already_cast') ?? 0),
        late: here.late + (recorded.get('poll_closed') ?? 0),
        waiting: parts.waitingCount(),
        lagMs: Math.round(parts.lagMs()),
      };
    },
  );
}

async function findManaged(parts: HttpParts, request: FastifyRequest, name: string): Promise<Poll> {
  const poll = await findPoll(parts, name);
  requireManager(parts, request, poll);
  return poll;
}
