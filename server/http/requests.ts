/** What several routes read from a request: the poll, the voter, the viewer, the keys in its headers. */
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors.ts';
import { manageKeyMatches, secretsMatch } from '../identity/manage-key.ts';
import type { CastRequest, Receipt, Voter } from '../intake/cast-ballot.ts';
import { isStorable } from '../poll/check-poll.ts';
import type { Poll } from '../poll/poll.ts';
import { anyone, type Viewer } from '../poll/visibility.ts';
import { isOwnPage, isSurelyOwnPage } from './origins.ts';
import type { HttpParts } from './parts.ts';

/** The poll with this id or slug. @throws {AppError} `poll_not_found` */
export async function findPoll({ polls }: Pick<HttpParts, 'polls'>, name: string): Promise<Poll> {
  const poll = polls.peek(name) ?? (isStorable(name) ? await polls.find(name) : null);
  if (poll === null) throw new AppError('poll_not_found', 'No poll has this id or slug.');
  return poll;
}

/** Casts a ballot for a handler that waits. @throws {AppError} where there is no receipt */
export function castToReceipt({ castBallot }: Pick<HttpParts, 'castBallot'>, request: CastRequest): Promise<Receipt> {
  return new Promise((resolve, reject) => {
    castBallot(request, (result) => {
      if (result instanceof AppError) reject(result);
      else resolve(result);
    });
  });
}

const idempotencyKeyPattern = /^[\u0020-\u007e]{1,255}$/u;

/**
 * The idempotency key of a request, with or without the quotes that draft-ietf-httpapi-idempotency-key-header asks for.
 * @throws {AppError} `request_malformed`
 */
export function idempotencyKeyOf(request: FastifyRequest): string | null {
  const header = request.headers['idempotency-key'];
  if (header === undefined) return null;
  const text =
    typeof header === 'string' && header.startsWith('"') && header.endsWith('"') ? header.slice(1, -1) : header;
  if (typeof text === 'string' && idempotencyKeyPattern.test(text)) return text;
  throw new AppError('request_malformed', 'Idempotency-Key takes 1 to 255 printable ASCII characters.');
}

type GivenVoter = {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly userId: string | undefined;
  readonly idempotencyKey: string | null;
  /** A token that came elsewhere than in the `Authorization` header. */
  readonly token?: string;
};

/**
 * The voter of a browser or client, as the poll's electorate asks for it. A browser without a cookie of ours becomes a new voter.
 * A promise only where a token is yet to be verified: the hot path of all others has none.
 */
export function voterOf(
  { cookies, makeKey, tokens }: Pick<HttpParts, 'cookies' | 'makeKey' | 'tokens'>,
  poll: Poll,
  given: GivenVoter,
): Voter | Promise<Voter> {
  if (poll.electorate === 'open') return { kind: 'open' };
  if (poll.electorate === 'declared') return { kind: 'declared', userId: checkedUserId(given.userId) };
  if (poll.electorate === 'token') return tokenVoterOf({ tokens }, given.token ?? bearerOf(given.request.headers));
  const { headers } = given.request;
  const known = cookies.voterOf(headers);
  if (known !== null) return { kind: 'cookie', voterId: known };
  // The answer that carried the cookie may be lost: the same key then leads to the same new voter.
  const { idempotencyKey } = given;
  const voterId =
    idempotencyKey === null
      ? cookies.drawVoterId()
      : makeKey('cookie_from_retry', poll.id, idempotencyKey).toString('base64url');
  void given.reply.header('set-cookie', cookies.toVoterCookie(headers, voterId));
  return { kind: 'cookie', voterId };
}

export type TokenVoter = Extract<Voter, { kind: 'token' }>;

/** Rejects with `credential_invalid` or `tokens_unverifiable`. @throws {AppError} `credential_missing` */
export function tokenVoterOf(
  { tokens }: Pick<HttpParts, 'tokens'>,
  token: string | undefined,
): TokenVoter | Promise<TokenVoter> {
  if (token === undefined || token === '') {
    throw new AppError('credential_missing', 'This poll asks for a token: send it as Authorization: Bearer <token>.');
  }
  const known = tokens.peek(token);
  if (known !== undefined) return { kind: 'token', identity: known };
  return tokens.verify(token).then((identity) => ({ kind: 'token', identity }));
}

/** The token of an `Authorization` header. @throws {AppError} `credential_invalid` for one of another form */
export function bearerOf({ authorization }: IncomingHttpHeaders): string | undefined {
  if (authorization === undefined) return undefined;
  const token = /^bearer +([^ ]+) *$/iu.exec(authorization)?.[1];
  if (token !== undefined) return token;
  throw new AppError('credential_invalid', 'The Authorization header is not of the form "Bearer <token>".');
}

/** @throws {AppError} `credential_missing`, `request_malformed` */
export function checkedUserId(userId: string | undefined): string {
  if (userId === undefined) throw new AppError('credential_missing', 'This poll asks for a userId.');
  if (isStorable(userId)) return userId;
  throw new AppError('request_malformed', 'The userId has characters that are no text.', {
    violations: [{ pointer: '/userId', rule: 'text_unusable' }],
  });
}

/**
 * Who looks at a poll's results: its manager by the `Manage-Key` header or the cookie, a voter by the cookie or by a receipt (`ballotId`).
 * Only asked where the poll does not show its results to everybody.
 */
export async function viewerOf(
  parts: Pick<HttpParts, 'ballots' | 'cookies' | 'makeKey'>,
  headers: IncomingHttpHeaders,
  poll: Poll,
  ballotId: string | undefined,
): Promise<Viewer> {
  if (poll.visibility === 'always') return anyone;
  return liveViewerOf(parts, headers, poll, ballotId);
}

/** The same for streams, which go on after the poll has hidden its results: then its manager still sees them. */
export async function liveViewerOf(
  parts: Pick<HttpParts, 'ballots' | 'cookies' | 'makeKey'>,
  headers: IncomingHttpHeaders,
  poll: Poll,
  ballotId: string | undefined,
): Promise<Viewer> {
  if (isManager(parts, headers, poll)) return { manager: true, voted: false };
  if (poll.visibility !== 'after_vote') return anyone;
  if (ballotId !== undefined) {
    const ballot = await parts.ballots.find(ballotId);
    if (ballot?.pollNo === poll.pollNo) return { manager: false, voted: true };
  }
  const voterId = poll.electorate === 'cookie' ? parts.cookies.voterOf(headers) : null;
  if (voterId === null) return anyone;
  return {
    manager: false,
    voted: await parts.ballots.hasCounted(poll.pollNo, parts.makeKey('cookie', poll.id, voterId)),
  };
}

/**
 * For requests that change a poll or tell what only its manager may know.
 * A cookie goes along with whatever a browser sends, so it counts only where a page of ours sent it, and for a change only where the browser says so.
 * @throws {AppError} `credential_missing`, `manage_key_wrong`, `origin_forbidden`
 */
export function requireManager(
  { cookies, site }: Pick<HttpParts, 'cookies' | 'site'>,
  { headers, method }: Pick<FastifyRequest, 'headers' | 'method'>,
  poll: Poll,
): void {
  if (headers['manage-key'] !== undefined) {
    if (holdsManageKey(headers, poll)) return;
    throw new AppError('manage_key_wrong', 'This is not the manage key of this poll.');
  }
  if (!cookies.managesPoll(headers, poll)) {
    throw new AppError('credential_missing', 'Send the manage key of this poll in the Manage-Key header.');
  }
  const isOwn = method === 'GET' || method === 'HEAD' ? isOwnPage : isSurelyOwnPage;
  if (!isOwn(headers, site)) {
    throw new AppError('origin_forbidden', 'The cookie manages the poll for pages of this server alone.');
  }
}

/** Whether the request shows that it comes from the poll's manager. For looking only: changes ask for more. */
export function isManager({ cookies }: Pick<HttpParts, 'cookies'>, headers: IncomingHttpHeaders, poll: Poll): boolean {
  return holdsManageKey(headers, poll) || cookies.managesPoll(headers, poll);
}

function holdsManageKey(headers: IncomingHttpHeaders, poll: Poll): boolean {
  const key = headers['manage-key'];
  return typeof key === 'string' && manageKeyMatches(key, poll.manageKeyHash);
}

/** For requests that make polls. @throws {AppError} `credential_missing`, `create_key_wrong` */
export function requireCreateKey({ headers }: Pick<FastifyRequest, 'headers'>, createKey: string | null): void {
  if (createKey === null) return;
  const given = headers['create-key'];
  if (given === undefined)
    throw new AppError('credential_missing', 'Send the create key of this server in the Create-Key header.');
  if (typeof given !== 'string' || !secretsMatch(given, createKey)) {
    throw new AppError('create_key_wrong', 'This is not the create key of this server.');
  }
}
