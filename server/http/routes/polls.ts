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
  Reopening,
} from '../../../protocol/poll.ts';
import { Problem } from '../../../protocol/problem.ts';
import { answers } from '../answers.ts';
import type { PollStep } from '../../intake/manage-poll.ts';
import type { Poll } from '../../poll/poll.ts';
import type { HttpApp, HttpOptions, HttpParts } from '../parts.ts';
import { pollBytesMax, toExtension, toNullableTime, toPollDraft, toPollEdit } from '../poll-body.ts';
import { findPoll, requireCreateKey, requireManager } from '../requests.ts';
import { toPollView } from '../../board/views.ts';
import { toPage } from '../views.ts';

const params = Type.Object({ poll: Type.String() });
const managerHeaders = Type.Object({
  'manage-key': Type.Optional(
    Type.String({ description: 'Shown when the poll was made. Pages of this server have a cookie in its place.' }),
  ),
});
const tags = ['polls'];
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
        summary: 'Create a poll',
        description:
          'It opens at once, unless `draft` or `opensAt` say otherwise. The answer shows the manage key this once.',
        tags,
        headers: Type.Object({ 'create-key': Type.Optional(Type.String()) }),
        body: NewPoll,
        response: answers({ 201: PollCreated, '4xx': Problem }),
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
        summary: 'Change a poll',
        description: 'Options, electorate, revote and selections are frozen by the first ballot.',
        tags,
        params,
        headers: managerHeaders,
        body: PollEdit,
        response: answers({ 200: PollView, '4xx': Problem }),
      },
    },
    async (request) => {
      const poll = await findManaged(parts, request, request.params.poll);
      return view(await managePoll.edit(poll, toPollEdit(request.body)));
    },
  );
}

function registerReading(app: HttpApp, parts: HttpParts, view: View): void {
  const { pollStore, joinDoor } = parts;

  app.get(
    '/api/v1/polls',
    {
      schema: {
        summary: 'Listed polls, newest first',
        tags,
        querystring: Type.Object({
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: pollsShownDefault })),
          before: Type.Optional(Type.String({ description: 'The `next` of the page before.' })),
          joinCode: Type.Optional(
            Type.String({ maxLength: 32, description: 'Only the poll with this join code, listed or not.' }),
          ),
        }),
        response: answers({ 200: PollList, '4xx': Problem }),
      },
    },
    async (request) => {
      const { limit = pollsShownDefault, before, joinCode } = request.query;
      if (joinCode !== undefined) {
        const found = await joinDoor.find(joinCode, request.socket.remoteAddress ?? '');
        return { polls: found === null ? [] : [view(found)], next: null };
      }
      const beforePollNo = before === undefined ? null : (await findPoll(parts, before)).pollNo;
      const { polls, next } = toPage(await pollStore.listNewest({ limit: limit + 1, beforePollNo }), limit);
      return { polls: polls.map(view), next };
    },
  );

  app.get(
    '/api/v1/polls/:poll',
    { schema: { summary: 'A poll', tags, params, response: answers({ 200: PollView, 404: Problem }) } },
    async (request, reply) => {
      const poll = await findPoll(parts, request.params.poll);
      void reply.header('cache-control', 'no-cache');
      return view(poll);
    },
  );
}

/** Opening, pausing, closing and what else moves a poll from state to state; and the log of it. */
function registerSteps(app: HttpApp, parts: HttpParts, view: View): void {
  const response = answers({ 200: PollView, '4xx': Problem });

  async function take(request: FastifyRequest, name: string, step: PollStep) {
    const poll = await findManaged(parts, request, name);
    return view(await parts.managePoll.take(poll, step));
  }

  for (const step of ['open', 'pause', 'close'] as const) {
    const summary = { open: 'Open a poll, or let voting go on', pause: 'Pause voting', close: 'Close a poll' }[step];
    app.post(
      `/api/v1/polls/:poll/${step}`,
      { schema: { summary, tags, params, headers: managerHeaders, response } },
      (request) => take(request, request.params.poll, { step }),
    );
  }
  app.post(
    '/api/v1/polls/:poll/extend',
    {
      schema: { summary: 'Set another closing time', tags, params, headers: managerHeaders, body: Extension, response },
    },
    (request) => take(request, request.params.poll, toExtension(request.body)),
  );
  app.post(
    '/api/v1/polls/:poll/reopen',
    {
      schema: {
        summary: 'Open a closed poll again',
        tags,
        params,
        headers: managerHeaders,
        body: Type.Union([Reopening, Type.Null()]),
        response,
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
        summary: 'What was done to a poll, and when',
        description: 'For its manager.',
        tags,
        params,
        headers: managerHeaders,
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
  const noContent = { 204: Type.Null({ description: 'Set-Cookie' }), '4xx': Problem };

  app.post(
    path,
    {
      schema: {
        summary: 'Exchange the manage key for a cookie',
        description:
          'For the pages of this server. The key comes in the header or in the body; the cookie holds no key.',
        tags,
        params,
        headers: managerHeaders,
        body: Type.Union([Type.Object({ manageKey: Type.Optional(Type.String()) }), Type.Null()]),
        response: answers(noContent),
      },
    },
    async (request, reply) => {
      const poll = await findPoll(parts, request.params.poll);
      const { headers, method, body } = request;
      const manageKey = body?.manageKey ?? headers['manage-key'];
      requireManager(parts, { method, headers: { ...headers, 'manage-key': manageKey } }, poll);
      return reply
        .code(204)
        .header('set-cookie', parts.cookies.toManageCookie(request.headers.cookie, poll))
        .send(null);
    },
  );
  app.delete(
    path,
    { schema: { summary: 'Forget the manage key', tags, params, response: answers(noContent) } },
    async (request, reply) => {
      const poll = await findPoll(parts, request.params.poll);
      return reply
        .code(204)
        .header('set-cookie', parts.cookies.toForgottenManageCookie(request.headers.cookie, poll))
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
        summary: 'How a poll is doing',
        description:
          'For its manager. Refusals are counted by this process since it started; those of ballots that came through a broker by all workers.',
        tags,
        params,
        headers: managerHeaders,
        response: answers({ 200: PollHealth, '4xx': Problem }),
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
