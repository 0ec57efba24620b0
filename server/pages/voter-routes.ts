/** The pages of a voter: joining by code, voting (with and without a script), the receipt, and the same in other sites' frames. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CountedBallot } from '../../protocol/ballot.ts';
import type { VoteNotice } from '../../protocol/pages.ts';
import { AppError } from '../errors.ts';
import type { HttpApp, HttpParts } from '../http/parts.ts';
import { castToReceipt, findPoll, voterOf } from '../http/requests.ts';
import { toBallotStatus } from '../http/views.ts';
import { toPollView } from '../board/views.ts';
import type { LedgerBallot } from '../ledger/ballots.ts';
import { toRequestUrl } from '../lib/request-url.ts';
import { toJoinCode } from '../poll/names.ts';
import type { Poll } from '../poll/poll.ts';
import { resultsVisible, anyone } from '../poll/visibility.ts';
import { isOwnPage } from '../http/origins.ts';
import { readForm, type Form } from './forms.ts';
import { formKeyMark, makeFormKey } from './shared-pages.ts';
import { ballotNamedBy, ballotOfVisitor, showPoll, type Exchange } from './shown-poll.ts';
import { toNotice, toNoticeOfState } from './vote-notice.ts';

type PollRequest = FastifyRequest<{ Params: { poll: string } }>;
type Shown = {
  readonly notice: VoteNotice | null;
  readonly chosen: readonly string[];
  readonly userId: string;
  readonly key: string;
};

const idempotencyKeyPattern = /^[\w-]{1,64}$/u;
/** So long the answer to a form waits for the outcome of its ballot. */
const outcomeWaitMs = 2_000;

export function registerVoterRoutes(app: HttpApp, parts: HttpParts): void {
  const hidden = { schema: { hide: true } };

  // `/j` is what is printed for a crowd to type.
  for (const path of ['/join', '/j', '/j/']) {
    app.get<{ Querystring: { code?: string } }>(path, hidden, (request, reply) => {
      const code = request.query.code ?? '';
      if (code.trim() === '') return parts.pages.send({ request, reply }, 'join', { code: '', unknown: false });
      return reply.redirect(`/j/${encodeURIComponent(toJoinCode(code))}`, 303);
    });
  }

  app.get<{ Params: { code: string } }>('/j/:code', hidden, async (request, reply) => {
    const { code } = request.params;
    const poll = await parts.joinDoor.find(code, parts.forwarding.addressOf(request.raw));
    if (poll !== null) return reply.redirect(`/p/${poll.slug}`, 303);
    return parts.pages.send({ request, reply }, 'join', { code: toJoinCode(code), unknown: true }, { status: 404 });
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
    const state = await parts.ballotStates.read(ballotId);
    const ballot = state === null ? null : toBallotStatus(state);
    const pollId = ballot?.pollId ?? null;
    const poll = pollId === null ? null : await findPoll(parts, pollId);
    return parts.pages.send(
      { request, reply },
      'receipt',
      {
        ballotId,
        ballot,
        poll: poll === null ? null : toPollView(poll, parts.results.statusOf(poll)),
      },
      { status: ballot === null ? 404 : 200 },
    );
  });
}

type VoteExchange = { readonly request: PollRequest; readonly reply: FastifyReply };

/** Casts what a form without a script has chosen. An accepted ballot leads on by a redirect, so that a reload sends nothing again. */
async function takeForm(parts: HttpParts, exchange: VoteExchange, embedded: boolean): Promise<FastifyReply> {
  const { request, reply } = exchange;
  const poll = await findPoll(parts, request.params.poll);
  const form = readForm(request.body);
  const chosen = form.fields('option');
  const key = form.field('key');
  const refuse = (notice: VoteNotice, status: number): Promise<FastifyReply> =>
    sendVotePage(parts, exchange, poll, {
      embedded,
      status,
      shown: { notice, chosen, key, userId: form.field('userId') },
    });
  if (!isOwnPage(request.headers, parts.site)) return refuse({ kind: 'form_foreign' }, 403);
  const incomplete = findGap(poll, form);
  if (incomplete !== null) return refuse(incomplete, 422);
  const idempotencyKey = idempotencyKeyPattern.test(key) ? key : null;
  try {
    const userId = poll.electorate === 'declared' ? form.field('userId') : undefined;
    const voter = await voterOf(parts, poll, {
      ...exchange,
      userId,
      idempotencyKey,
      token: form.field('token').trim(),
    });
    const { state, ballotId, castAt } = await castToReceipt(parts, { poll, voter, optionIds: chosen, idempotencyKey });
    // The page that follows says what became of the ballot, and mostly that is known by then.
    if (state === 'received') await parts.ballotStates.outcomeOf(ballotId, castAt, outcomeWaitMs);
    return await reply.redirect(`${embedded ? '/embed' : '/p'}/${poll.slug}?ballot=${ballotId}`, 303);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const notice = toNotice(error, poll, parts.results.now());
    if (notice === null) throw error;
    if (error.retryAfterSeconds !== undefined) void reply.header('retry-after', error.retryAfterSeconds);
    return refuse(notice, error.row.status);
  }
}

/** What is missing on a form, in the words of the page. The rules themselves are checked where every ballot is. */
function findGap(poll: Poll, form: Form): VoteNotice | null {
  const count = form.fields('option').length;
  if (poll.electorate === 'declared' && form.field('userId').trim() === '') return { kind: 'user_id_missing' };
  if (poll.electorate === 'token' && form.field('token').trim() === '') return { kind: 'token_missing' };
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
  const notice = shown === undefined ? await noticeOfNamed(parts, exchange.request, { poll, ballot }) : shown.notice;
  const fresh = ballot === null && notice === null && shown === undefined;
  const pollShown = showPoll(parts, poll, { manager: false, voted: ballot !== null });
  const props = {
    ...pollShown,
    ballot: ballot === null ? null : toBallotView(ballot),
    idempotencyKey: fresh ? formKeyMark : shown?.key || makeFormKey(),
    chosen: shown?.chosen ?? [],
    userId: shown?.userId ?? '',
    changing: shown === undefined && ballot !== null && poll.revote === 'replace' && asksToChange(exchange.request),
    notice: notice?.kind === 'duplicate' ? withStanding(notice, ballot) : notice,
    embedded,
  };
  return parts.pages.send(exchange, 'vote', props, {
    status,
    shared: fresh,
    listed: poll.listed && !embedded,
    canonicalPath: `/p/${poll.slug}`,
    frameAncestors: embedded ? poll.embedParents : [],
    ...(resultsVisible(poll.visibility, parts.results.statusOf(poll), anyone) || poll.listed
      ? { picturePath: `/p/${poll.slug}/card.png` }
      : {}),
  });
}

/** Whether the address asks for the form in the place of the vote that stands (`?change=1`). */
function asksToChange(request: FastifyRequest): boolean {
  return toRequestUrl(request.url).searchParams.has('change');
}

function toBallotView({ ballotId, pollId, castAt, status }: LedgerBallot): CountedBallot {
  return { ballotId, pollId, castAt: new Date(castAt).toISOString(), status };
}

type Found = { readonly poll: Poll; readonly ballot: LedgerBallot | null };

/** What became of the ballot that the address names (`?ballot=`), where it is not in the ledger; null for any other. */
async function noticeOfNamed(
  { ballotStates }: Pick<HttpParts, 'ballotStates'>,
  request: PollRequest,
  { poll, ballot }: Found,
): Promise<VoteNotice | null> {
  const named = ballotNamedBy(request)?.toLowerCase();
  if (named === undefined || named === ballot?.ballotId) return null;
  return toNoticeOfState(await ballotStates.read(named), poll);
}

type Duplicate = Extract<VoteNotice, { kind: 'duplicate' }>;

/** The outcome of an accepted ballot does not say which one stands; the cookie of the browser does. */
function withStanding(notice: Duplicate, ballot: LedgerBallot | null): Duplicate {
  if (notice.ballotId !== '' || ballot === null) return notice;
  const { ballotId, castAt } = toBallotView(ballot);
  return { kind: 'duplicate', ballotId, castAt };
}
