/** The pages of a voter: joining by code, voting (with and without a script), the receipt, and the same in other sites' frames. */
import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { BallotStatus } from '../../protocol/ballot.ts';
import type { VoteNotice } from '../../protocol/pages.ts';
import { AppError } from '../errors.ts';
import type { HttpApp, HttpParts } from '../http/parts.ts';
import { castToReceipt, findPoll, voterOf } from '../http/requests.ts';
import { toPollView } from '../board/views.ts';
import type { LedgerBallot } from '../ledger/ballots.ts';
import { isStorable } from '../poll/check-poll.ts';
import { toJoinCode } from '../poll/names.ts';
import type { Poll } from '../poll/poll.ts';
import { resultsVisible, anyone } from '../poll/visibility.ts';
import { isOwnPage } from '../http/origins.ts';
import { readForm, type Form } from './forms.ts';
import { ballotOfVisitor, showPoll, type Exchange } from './shown-poll.ts';
import { toNotice } from './vote-notice.ts';

type PollRequest = FastifyRequest<{ Params: { poll: string }; Querystring: { ballot?: string } }>;
type Shown = { readonly notice: VoteNotice | null; readonly chosen: readonly string[]; readonly key: string };

const idempotencyKeyPattern = /^[\w-]{1,64}$/u;

export function registerVoterRoutes(app: HttpApp, parts: HttpParts): void {
  const hidden = { schema: { hide: true } };

  app.get<{ Querystring: { code?: string } }>('/join', hidden, (request, reply) => {
    const code = request.query.code ?? '';
    if (code.trim() === '') return parts.pages.send({ request, reply }, 'join', { code: '', unknown: false });
    return reply.redirect(`/j/${encodeURIComponent(toJoinCode(code))}`, 303);
  });

  app.get<{ Params: { code: string } }>('/j/:code', hidden, async (request, reply) => {
    const code = toJoinCode(request.params.code);
    const poll = isStorable(code) ? await parts.pollStore.find({ by: 'join_code', name: code }) : null;
    if (poll !== null) return reply.redirect(`/p/${poll.slug}`, 303);
    return parts.pages.send({ request, reply }, 'join', { code, unknown: true }, { status: 404 });
  });

  for (const { path, embedded } of [
    { path: '/p/:poll', embedded: false },
    { path: '/embed/:poll', embedded: true },
  ]) {
    app.get(path, hidden, async (request: PollRequest, reply) => {
      const poll = await findPoll(parts, request.params.poll);
      return sendVotePage(parts, { request, reply }, poll, { embedded });
    });
    app.post(path, hidden, (request: PollRequest, reply) => takeForm(parts, { request, reply }, embedded));
  }

  app.get<{ Params: { receipt: string } }>('/r/:receipt', hidden, async (request, reply) => {
    const ballotId = request.params.receipt.toLowerCase();
    const ballot = await parts.ballots.find(ballotId);
    const poll = ballot === null ? null : await findPoll(parts, ballot.pollId);
    return parts.pages.send(
      { request, reply },
      'receipt',
      {
        ballotId,
        ballot: ballot === null ? null : toBallotView(ballot),
        poll: poll === null ? null : toPollView(poll, parts.results.statusOf(poll)),
      },
      { status: ballot === null ? 404 : 200 },
    );
  });
}

type VoteExchange = { readonly request: PollRequest; readonly reply: FastifyReply };

/** Casts what a form without a script has chosen. A counted ballot leads on by a redirect, so that a reload sends nothing again. */
async function takeForm(parts: HttpParts, exchange: VoteExchange, embedded: boolean): Promise<FastifyReply> {
  const { request, reply } = exchange;
  const poll = await findPoll(parts, request.params.poll);
  const form = readForm(request.body);
  const chosen = form.fields('option');
  const key = form.field('key');
  const refuse = (notice: VoteNotice, status: number): Promise<FastifyReply> =>
    sendVotePage(parts, exchange, poll, { embedded, status, shown: { notice, chosen, key } });
  if (!isOwnPage(request.headers, parts.site)) return refuse({ kind: 'form_foreign' }, 403);
  const incomplete = findGap(poll, form);
  if (incomplete !== null) return refuse(incomplete, 422);
  const idempotencyKey = idempotencyKeyPattern.test(key) ? key : null;
  try {
    const userId = poll.electorate === 'declared' ? form.field('userId') : undefined;
    const voter = voterOf(parts, poll, { ...exchange, userId, idempotencyKey });
    const receipt = await castToReceipt(parts, { poll, voter, optionIds: chosen, idempotencyKey });
    const path = `${embedded ? '/embed' : '/p'}/${poll.slug}`;
    return await reply.redirect(`${path}?ballot=${receipt.ballotId}`, 303);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const notice = toNotice(error, poll, parts.results.now());
    if (notice === null) throw error;
    if (error.row.retryAfterSeconds !== undefined) void reply.header('retry-after', error.row.retryAfterSeconds);
    return refuse(notice, error.row.status);
  }
}

/** What is missing on a form, in the words of the page. The rules themselves are checked where every ballot is. */
function findGap(poll: Poll, form: Form): VoteNotice | null {
  const count = form.fields('option').length;
  if (poll.electorate === 'declared' && form.field('userId').trim() === '') return { kind: 'user_id_missing' };
  if (count === 0 && poll.selectionsMin > 0) return { kind: 'nothing_chosen' };
  if (count < poll.selectionsMin) return { kind: 'too_few' };
  return count > poll.selectionsMax ? { kind: 'too_many' } : null;
}

type VotePageOptions = { readonly embedded: boolean; readonly status?: number; readonly shown?: Shown };

async function sendVotePage(
  parts: HttpParts,
  exchange: VoteExchange,
  poll: Poll,
  { embedded, status = 200, shown }: VotePageOptions,
): Promise<FastifyReply> {
  const visitor: Exchange = exchange;
  const ballot = await ballotOfVisitor(parts, visitor.request, poll);
  const pollShown = showPoll(parts, poll, { manager: false, voted: ballot !== null });
  const props = {
    ...pollShown,
    ballot: ballot === null ? null : toBallotView(ballot),
    idempotencyKey: shown?.key || randomBytes(16).toString('base64url'),
    chosen: shown?.chosen ?? [],
    notice: shown?.notice ?? null,
    embedded,
  };
  return parts.pages.send(exchange, 'vote', props, {
    status,
    listed: poll.listed && !embedded,
    canonicalPath: `/p/${poll.slug}`,
    frameAncestors: embedded ? poll.embedParents : [],
    ...(resultsVisible(poll.visibility, parts.results.statusOf(poll), anyone) || poll.listed
      ? { picturePath: `/p/${poll.slug}/card.png` }
      : {}),
  });
}

function toBallotView({ ballotId, pollId, castAt, status }: LedgerBallot): BallotStatus {
  return { ballotId, pollId, castAt: new Date(castAt).toISOString(), status };
}
