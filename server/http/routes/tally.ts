/** Tallies and the leaderboard: answered from memory, the text of an answer made once for all who ask alike. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { PollName } from '../../../protocol/poll.ts';
import { emptyAnswer, readsHeaders, refusalsOf, withHeaders } from '../answers.ts';
import { securityOf } from '../api-document.ts';
import { Series } from '../../../protocol/series.ts';
import { Leaderboard, Tally } from '../../../protocol/tally.ts';
import type { Results } from '../../board/results.ts';
import { AppError } from '../../errors.ts';
import type { Poll } from '../../poll/poll.ts';
import { anyone, resultsVisible, type Viewer } from '../../poll/visibility.ts';
import type { HttpApp, HttpParts } from '../parts.ts';
import { findPoll, viewerOf } from '../requests.ts';
import { takeSeat } from './live.ts';
import { toLeaderboardView, toTallyView } from '../../board/views.ts';

const jsonMediaType = 'application/json; charset=utf-8';
/** How long a cache may keep what anybody may see. It is the lag that reads through a cache have. */
const sharedCacheControl = 'public, max-age=1';
const leadersShownDefault = 10;

export function registerTallyRoutes(app: HttpApp, parts: HttpParts): void {
  registerTallyRoute(app, parts);
  registerSeriesRoute(app, parts);
  registerLeaderboardRoute(app, parts);
}

const ballotOfViewer = Type.Optional(
  Type.String({ maxLength: 64, description: 'The id on a receipt: its holder has voted.' }),
);
const tagHeader = { ETag: 'Names what the tally says. Send it as `If-None-Match`.' };

function registerTallyRoute(app: HttpApp, parts: HttpParts): void {
  const tallyText = createTallyText(parts.results);

  function answerTally(poll: Poll, viewer: Viewer, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { text, etag, shared } = tallyText(poll, viewer);
    void reply.header('etag', etag).header('cache-control', shared ? sharedCacheControl : 'private, no-store');
    return namesTag(request.headers['if-none-match'], etag) ? reply.code(304).send() : sendJson(reply, text);
  }

  /** Where the poll is not at hand, or who asks decides what is shown. */
  async function answerAsked(request: TallyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const poll = await findPoll(parts, request.params.poll);
    const viewer = await viewerOf(parts, request.headers, poll, request.query.ballot);
    return answerTally(poll, viewer, request, reply);
  }

  /** Waits until there is something newer than the client has, or until it has waited long enough. */
  async function answerLater(request: TallyRequest, reply: FastifyReply, asked: Wait): Promise<FastifyReply> {
    const poll = await findPoll(parts, request.params.poll);
    const viewer = await viewerOf(parts, request.headers, poll, request.query.ballot);
    const seat = takeSeat(parts, request, 'long_poll');
    try {
      await newsOf(parts, poll, viewer, asked, reply);
    } finally {
      seat.release();
    }
    // It may have been changed meanwhile, or deleted.
    return answerTally(await findPoll(parts, poll.id), viewer, request, reply);
  }

  app.get(
    '/api/v1/polls/:poll/tally',
    {
      schema: {
        operationId: 'readTally',
        summary: 'The tally of a poll',
        description:
          'Where results show after voting, a voter says so by the cookie or with `ballot`, the id on the receipt; the manage key shows them always. ' +
          'With `wait` and `since` the answer comes when the tally has grown, or after that time.',
        tags: ['tallies'],
        security: securityOf.viewer,
        params: Type.Object({ poll: PollName }),
        reads: { headers: readsHeaders('If-None-Match') },
        querystring: Type.Object({
          ballot: ballotOfViewer,
          wait: Type.Optional(
            Type.Integer({ minimum: 0, maximum: 60, description: 'Seconds to wait for a version above `since`.' }),
          ),
          since: Type.Optional(Type.Integer({ minimum: 0, description: 'The `version` that the client has.' })),
        }),
        answers: {
          200: withHeaders(Tally, tagHeader),
          304: emptyAnswer('The tally is the one of the tag.', tagHeader),
        },
        refusals: [...refusalsOf.poll, 'results_hidden', 'too_many_connections', 'shutting_down'],
      },
    },
    (request, reply) => {
      const { wait = 0, since } = request.query;
      if (wait > 0 && since !== undefined) return answerLater(request, reply, { waitMs: wait * 1_000, since });
      const poll = parts.polls.peek(request.params.poll);
      if (poll !== undefined && poll.visibility === 'always') return answerTally(poll, anyone, request, reply);
      return answerAsked(request, reply);
    },
  );
}

function registerSeriesRoute(app: HttpApp, parts: HttpParts): void {
  app.get(
    '/api/v1/polls/:poll/series',
    {
      schema: {
        operationId: 'readSeries',
        summary: 'Votes over time',
        tags: ['tallies'],
        security: securityOf.viewer,
        params: Type.Object({ poll: PollName }),
        querystring: Type.Object({ ballot: ballotOfViewer }),
        answers: { 200: Series },
        refusals: [...refusalsOf.poll, 'results_hidden'],
      },
    },
    async (request, reply) => {
      const poll = await findPoll(parts, request.params.poll);
      const viewer = await viewerOf(parts, request.headers, poll, request.query.ballot);
      if (parts.results.tallyOf(poll, viewer) === null) throw new AppError('results_hidden', hiddenDetail(poll));
      void reply.header('cache-control', poll.visibility === 'always' ? sharedCacheControl : 'private, no-store');
      return parts.series.read(poll);
    },
  );
}

function registerLeaderboardRoute(app: HttpApp, parts: HttpParts): void {
  app.get(
    '/api/v1/leaderboard',
    {
      schema: {
        operationId: 'readLeaderboard',
        summary: 'The leading options of all open polls',
        description: 'Of the listed polls that show their results to everybody.',
        tags: ['tallies'],
        querystring: Type.Object({
          window: Type.Optional(
            Type.Union([Type.Literal('all'), Type.Literal('last_ten_minutes')], { default: 'all' }),
          ),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: leadersShownDefault })),
        }),
        answers: { 200: Leaderboard },
        refusals: ['request_malformed', 'internal'],
      },
    },
    (request, reply) => {
      void reply.header('cache-control', sharedCacheControl);
      const { window = 'all', limit = leadersShownDefault } = request.query;
      return sendJson(reply, JSON.stringify(toLeaderboardView(parts.results, { window, limit })));
    },
  );
}

type Wait = { readonly waitMs: number; readonly since: number };

/** Resolves when the tally is above `since`, when the poll is closed or hidden, after the time to wait, or when nobody waits any more. */
function newsOf(
  { hub, live }: HttpParts,
  poll: Poll,
  viewer: Viewer,
  { waitMs, since }: Wait,
  reply: FastifyReply,
): Promise<void> {
  return new Promise((resolve) => {
    const ends: (() => void)[] = [];
    const end = (): void => {
      for (const stop of ends.splice(0)) stop();
      resolve();
    };
    const timer = setTimeout(end, waitMs);
    ends.push(() => clearTimeout(timer), live.keeper.onEnd(end));
    reply.raw.once('close', end);
    ends.push(
      hub.watch(poll, viewer, ({ tally, status }) => {
        if (tally === null || tally.version > since || status === 'closed') queueMicrotask(end);
      }),
    );
  });
}

type TallyRequest = FastifyRequest<{
  Params: { poll: string };
  Querystring: { ballot?: string; wait?: number; since?: number };
}>;

/** Whether If-None-Match names this weak tag: alone, in a list, or as `*` (RFC 9110, section 13.1.2). */
function namesTag(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch === etag || ifNoneMatch === '*') return true;
  const opaque = etag.slice('W/'.length);
  return ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//u, '') === opaque);
}

type TallyText = { readonly etag: string; readonly text: string; readonly shared: boolean };

/** Answers the JSON text of a poll's tally and keeps it until something in it changes. @throws {AppError} `results_hidden` */
function createTallyText(results: Results): (poll: Poll, viewer: Viewer) => TallyText {
  const kept = new WeakMap<Poll, TallyText>();
  return (poll, viewer) => {
    const tally = results.tallyOf(poll, viewer);
    if (tally === null) throw new AppError('results_hidden', hiddenDetail(poll));
    const status = results.statusOf(poll);
    // Without new ballots the window only loses votes, so these parts name the whole content.
    const etag = `W/"${poll.revision}-${status}-${tally.version}-${tally.lastTenMinutes}-${tally.votesPerSecond}"`;
    const last = kept.get(poll);
    if (last?.etag === etag) return last;
    const shared = resultsVisible(poll.visibility, status, anyone);
    const made = { etag, text: JSON.stringify(toTallyView(poll, status, tally, results.epoch)), shared };
    kept.set(poll, made);
    return made;
  };
}

function hiddenDetail(poll: Poll): string {
  if (poll.visibility === 'after_vote') return 'The results of this poll show after voting.';
  return poll.visibility === 'after_close'
    ? 'The results of this poll show when it has closed.'
    : 'Only the manager of this poll sees its results.';
}

function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.type(jsonMediaType).send(text);
}
