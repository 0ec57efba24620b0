/** The contract `party`: polls that expire, one vote per declared user, a leaderboard. */
import { randomUUID } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toLeaderboardView } from '../board/views.ts';
import { refusalsOf } from '../http/answers.ts';
import type { Contract } from '../http/app.ts';
import { parseJson } from '../http/json-body.ts';
import { awaitOutcome, waitMsOf } from '../http/ballot-answers.ts';
import type { HttpApp, HttpParts } from '../http/parts.ts';
import { pollBytesMax } from '../http/poll-body.ts';
import { prefersHtml } from '../http/preferences.ts';
import { castToReceipt, idempotencyKeyOf } from '../http/requests.ts';
import { toLeaderboardProps, toPage } from '../http/views.ts';
import type { Voter } from '../intake/cast-ballot.ts';
import { createSocketDoor } from '../live/websocket.ts';
import { isUuidText } from '../lib/uuid-v7.ts';
import { toRequestUrl } from '../lib/request-url.ts';
import type { PollDraft } from '../poll/check-poll.ts';
import { plainTerms, type Poll } from '../poll/poll.ts';
import { anyone } from '../poll/visibility.ts';
import { answerPartyError, PartyRefusal } from './party-errors.ts';
import { parseLimit, parsePollBody, parseVoteBody } from './party-bodies.ts';
import { createPartyFrames } from './party-frames.ts';
import { partySocketHabits, servePartySocket } from './party-socket.ts';
import * as shapes from './party-shapes.ts';
import { leaderboardLimitDefault, toPartyLeaderboard, toPartyOptions } from './party-views.ts';

const tags = ['contracts'];
/** Refusals that this contract has no words for. */
const ofReading = ['ledger_unavailable', 'internal'] as const;
const ofBody = ['request_timeout', 'body_too_large'] as const;

export const partyContract: Contract = {
  openToAnyOrigin: /^\/(?:polls(?:\/.*)?|leaderboard|health)$/u,
  register(app, parts) {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body: Buffer, done) => {
      try {
        done(null, parseJson(body));
      } catch {
        done(new PartyRefusal(400, 'Invalid JSON', 'Invalid request body format'));
      }
    });
    app.setErrorHandler(answerPartyError);
    registerPolls(app, parts);
    registerVote(app, parts);
    registerLeaderboard(app, parts);
    openSockets(parts);
  },
};

/** At every path that nothing else has taken, for pages of any origin. */
function openSockets(parts: HttpParts): void {
  const { hub, live, results, forwarding, log } = parts;
  const socketParts = {
    hub,
    findPoll: (id: string) => findPartyPoll(parts, id),
    frames: createPartyFrames(results.now),
  };
  const door = createSocketDoor({ keeper: live.keeper, addressOf: forwarding.addressOf, log }, partySocketHabits);
  live.upgrades.elsewhere((upgrade) => door.open(upgrade, (socket) => servePartySocket(socketParts, socket)));
}

function registerPolls(app: HttpApp, parts: HttpParts): void {
  const creation = {
    bodyLimit: pollBytesMax,
    schema: {
      operationId: 'createPartyPoll',
      summary: 'Create a poll that expires',
      description: 'Contract `party`. One vote per user, as the client states who that is.',
      tags,
      reads: shapes.creationReads,
      answers: shapes.creationAnswers,
      refusals: [...ofBody, ...ofReading],
    },
  };
  app.post('/polls', creation, async (request, reply) => {
    const draft = toPollDraft(request.body, parts.results.now());
    const { poll, manageKey } = await parts.managePoll.create(draft);
    void reply.code(201).header('location', `/polls/${poll.id}`).header('cache-control', 'no-store');
    return { ...toPollView(parts, poll), manage_token: manageKey };
  });

  const list = {
    operationId: 'listPartyPolls',
    summary: 'Polls with their votes, newest first',
    description: 'Contract `party`.',
    tags,
    reads: shapes.listReads,
    answers: shapes.listAnswers,
    refusals: ofReading,
  };
  app.get('/polls', { schema: list }, async (request) => {
    const query = toQuery(request);
    const limit = parseLimit(query['limit'], 20);
    const before = query['before'] === undefined ? null : await findPoll(parts, query['before']);
    const read = await parts.pollStore.listNewest({ limit: limit + 1, beforePollNo: before?.pollNo ?? null });
    const { polls, next } = toPage(read, limit);
    return { data: polls.map((poll) => toPollView(parts, poll)), next };
  });

  app.get<{ Params: { id: string } }>(
    '/polls/:id',
    {
      schema: {
        operationId: 'readPartyPoll',
        summary: 'A poll with its votes',
        description: 'Contract `party`. Polls are shown after they have expired, too.',
        tags,
        reads: { params: shapes.pollParams },
        answers: shapes.pollAnswers,
        refusals: ofReading,
      },
    },
    async (request, reply) => {
      void reply.header('cache-control', 'no-cache');
      return toPollView(parts, await findPoll(parts, request.params.id));
    },
  );
}

function registerVote(app: HttpApp, parts: HttpParts): void {
  const route = {
    schema: {
      operationId: 'voteInPartyPoll',
      summary: 'Vote in a poll that expires',
      description: 'Contract `party`. The user is as good as the client that names it: no credential is asked for.',
      tags,
      reads: { params: shapes.pollParams, ...shapes.voteReads },
      answers: shapes.voteAnswers,
      refusals: [...ofBody, ...refusalsOf.capacity],
    },
  };
  app.post<{ Params: { id: string } }>('/polls/:id/vote', route, async (request, reply) => {
    const { userId, optionId } = parseVoteBody(request.body);
    const poll = await findPoll(parts, request.params.id);
    if (!poll.optionNoById.has(optionId))
      throw new PartyRefusal(400, 'Validation Error', 'Option does not belong to this poll');
    const voter: Voter = poll.electorate === 'open' ? { kind: 'open' } : { kind: 'declared', userId };
    const idempotencyKey = idempotencyKeyOf(request);
    const received = await castToReceipt(parts, { poll, voter, optionIds: [optionId], idempotencyKey });
    const receipt = await awaitOutcome(parts.ballotStates, received, waitMsOf(request.headers));
    const vote = { vote_id: receipt.ballotId, poll_id: poll.id, option_id: optionId, user_id: userId };
    if (receipt.state === 'received') {
      // Its time is the ledger's to say, once it is there.
      void reply.code(202).header('location', `/api/v1/ballots/${receipt.ballotId}`);
      return { message: 'Vote accepted', ...vote };
    }
    return { message: 'Vote recorded', ...vote, timestamp: new Date(receipt.castAt).toISOString() };
  });
}

function registerLeaderboard(app: HttpApp, parts: HttpParts): void {
  app.get(
    '/leaderboard',
    {
      schema: {
        operationId: 'readPartyLeaderboard',
        summary: 'The top options of all open polls',
        description: 'Contract `party`. Browsers, which ask for HTML, get a page.',
        tags,
        reads: shapes.leaderboardReads,
        answers: shapes.leaderboardAnswers,
        refusals: ['internal'],
      },
    },
    (request: FastifyRequest, reply: FastifyReply) => {
      void reply.header('vary', [reply.getHeader('vary') ?? [], 'Accept'].flat().join(', '));
      if (prefersHtml(request.headers.accept)) {
        return parts.pages.send({ request, reply }, 'leaderboard', toLeaderboardProps(parts.results), { listed: true });
      }
      const limit = parseLimit(toQuery(request)['limit'], leaderboardLimitDefault);
      void reply.header('cache-control', 'no-cache');
      const leaderboard = toLeaderboardView(parts.results, { window: 'all', limit });
      return reply.send(toPartyLeaderboard(leaderboard, parts.results.now()));
    },
  );

  const health = {
    operationId: 'readPartyHealth',
    summary: 'A sign of life',
    description: 'Contract `party`. `/readyz` says whether the server can take ballots.',
    tags,
    answers: shapes.healthAnswers,
  };
  app.get('/health', { schema: health }, (_request: FastifyRequest, reply: FastifyReply) =>
    reply.send({ status: 'ok', timestamp: new Date().toISOString() }),
  );
}

/** Only ids name a poll here: a slug is malformed, and a malformed id is unknown. */
export async function findPartyPoll({ polls }: Pick<HttpParts, 'polls'>, id: string): Promise<Poll | null> {
  return isUuidText(id) ? (polls.peek(id) ?? (await polls.find(id))) : null;
}

async function findPoll(parts: HttpParts, id: string): Promise<Poll> {
  const poll = await findPartyPoll(parts, id);
  if (poll === null) throw new PartyRefusal(404, 'Not Found', 'Poll does not exist');
  return poll;
}

function toPollDraft(body: unknown, now: number): PollDraft {
  const { question, options, expiresAt } = parsePollBody(body, now);
  return {
    ...plainTerms,
    question,
    electorate: 'declared',
    slug: null,
    options: options.map((text) => ({ id: randomUUID(), text, description: null })),
    opensAt: now,
    closesAt: expiresAt,
  };
}

/** Counts are null where the poll hides its results. */
function toPollView({ results }: HttpParts, poll: Poll): object {
  const tally = results.tallyOf(poll, anyone);
  return {
    id: poll.id,
    question: poll.question,
    total_votes: tally?.ballots ?? null,
    options: toPartyOptions(poll, tally),
    created_at: new Date(poll.createdAt).toISOString(),
    expired_at: poll.closesAt === null ? null : new Date(poll.closesAt).toISOString(),
  };
}

function toQuery(request: FastifyRequest): Readonly<Record<string, string | undefined>> {
  const query = toRequestUrl(request.url).searchParams;
  return { limit: oneOf(query.getAll('limit')), before: oneOf(query.getAll('before')) };
}

/** Given more than once, it is nothing that any rule takes. */
function oneOf(values: readonly string[]): string | undefined {
  return values.length === 0 ? undefined : values.join(',');
}
