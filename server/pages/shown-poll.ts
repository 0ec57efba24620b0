/** A poll as a page's visitor may see it. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { PollShown } from '../../protocol/pages.ts';
import type { HttpParts } from '../http/parts.ts';
import { toPollView, toTallyView } from '../board/views.ts';
import type { LedgerBallot } from '../ledger/ballots.ts';
import type { Poll } from '../poll/poll.ts';
import type { Viewer } from '../poll/visibility.ts';
import { toRequestUrl } from '../lib/request-url.ts';

export type Exchange = { readonly request: FastifyRequest; readonly reply: FastifyReply };

export function showPoll({ results }: Pick<HttpParts, 'results'>, poll: Poll, viewer: Viewer): PollShown {
  const status = results.statusOf(poll);
  const tally = results.tallyOf(poll, viewer);
  return {
    poll: toPollView(poll, status),
    tally: tally === null ? null : toTallyView(poll, status, tally, results.epoch),
  };
}

/** The ballot that the address names. */
export function ballotNamedBy(request: FastifyRequest): string | undefined {
  return toRequestUrl(request.url).searchParams.get('ballot') ?? undefined;
}

/** The visitor's ballot in this poll: the one that the address names (`?ballot=`), or the counted one of the browser's cookie. */
export async function ballotOfVisitor(
  parts: Pick<HttpParts, 'ballots' | 'cookies' | 'makeKey'>,
  request: FastifyRequest,
  poll: Poll,
): Promise<LedgerBallot | null> {
  const named = ballotNamedBy(request);
  if (named !== undefined) {
    const ballot = await parts.ballots.find(named);
    if (ballot?.pollNo === poll.pollNo) return ballot;
  }
  if (poll.electorate !== 'cookie') return null;
  const voterId = parts.cookies.voterOf(request.headers);
  return voterId === null ? null : parts.ballots.findCounted(poll.pollNo, parts.makeKey('cookie', poll.id, voterId));
}
