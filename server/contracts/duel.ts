/** The contract `duel`: a vote page with two buttons, one changeable vote per browser. Its front page takes the place of ours. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors.ts';
import type { Contract } from '../http/app.ts';
import type { HttpApp, HttpParts } from '../http/parts.ts';
import { prepareRefusal, toAppError } from '../http/problem.ts';
import { castToReceipt, idempotencyKeyOf, voterOf } from '../http/requests.ts';
import { isOwnPage } from '../http/origins.ts';
import { readForm, takeForms } from '../pages/forms.ts';
import { sendDocument } from './duel-document.ts';
import { createDuelPages, type DuelChoice, type DuelNotice, type DuelPages, type DuelSite } from './duel-page.ts';
import { findDuelPoll } from './duel-poll.ts';
import { pageShape, voteShape } from './duel-shapes.ts';

/** A vote is a form of one short field. */
const formBytesMax = 4_096;

export function createDuelContract(site: DuelSite): Contract {
  const pages = createDuelPages(site);
  return {
    openToAnyOrigin: null,
    async register(app, parts) {
      app.removeAllContentTypeParsers();
      await takeForms(app, formBytesMax);
      // Whatever is no form holds no vote, and is answered as such.
      app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: formBytesMax }, (_request, _body, done) =>
        done(null, null),
      );
      app.setErrorHandler((error, request, reply) => refuse(parts, pages, { error, request, reply }));
      registerVotePage(app, parts, pages);
    },
  };
}

function registerVotePage(app: HttpApp, parts: HttpParts, pages: DuelPages): void {
  app.get('/', { schema: pageShape }, async (request, reply) => {
    const poll = await findDuelPoll(parts);
    keepVoter(parts, request, reply);
    return sendDocument(reply, 200, pages.shown(poll, null));
  });

  app.post('/', { schema: voteShape }, async (request, reply) => {
    if (!isOwnPage(request.headers, parts.site)) {
      throw new AppError('origin_forbidden', 'The form was sent by a page of another site. Nothing was recorded.');
    }
    const choice = parseChoice(request.body);
    const poll = await findDuelPoll(parts);
    const idempotencyKey = idempotencyKeyOf(request);
    const voter = await voterOf(parts, poll, { request, reply, userId: undefined, idempotencyKey });
    if (reply.getHeader('set-cookie') === undefined) keepVoter(parts, request, reply);
    await castToReceipt(parts, { poll, voter, optionIds: [choice], idempotencyKey });
    return sendDocument(reply, 200, pages.shown(poll, choice));
  });
}

/** The cookie of the voter, a new one where none of ours came. */
function keepVoter(parts: Pick<HttpParts, 'cookies'>, request: FastifyRequest, reply: FastifyReply): void {
  const { headers } = request;
  const voterId = parts.cookies.voterOf(headers) ?? parts.cookies.drawVoterId();
  void reply.header('set-cookie', parts.cookies.toVoterCookie(headers, voterId));
}

/** @throws {AppError} `request_malformed` */
function parseChoice(body: unknown): DuelChoice {
  const [vote, ...others] = readForm(body).fields('vote');
  if ((vote === 'a' || vote === 'b') && others.length === 0) return vote;
  throw new AppError('request_malformed', 'The form names neither of the two options.');
}

type Refusal = { readonly error: unknown; readonly request: FastifyRequest; readonly reply: FastifyReply };

async function refuse(parts: HttpParts, pages: DuelPages, { error, request, reply }: Refusal): Promise<FastifyReply> {
  const refused = toAppError(error);
  const poll = await findDuelPoll(parts);
  void prepareRefusal(refused, request, reply);
  return sendDocument(reply, refused.row.status, pages.refused(poll, toNotice(refused)));
}

function toNotice(error: AppError): DuelNotice {
  if (error.code === 'request_malformed') return { title: 'No vote was recorded', detail: error.message };
  if (error.recorded === 'no') return { title: error.row.title, detail: error.message };
  return {
    title: error.row.title,
    detail: 'Whether your vote was recorded is not known. Vote again: only your last vote counts.',
  };
}
