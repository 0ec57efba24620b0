/** The pages of an organiser: the home page with its form, and the page that manages a poll. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Value } from 'typebox/value';
import type { NewPoll } from '../../protocol/poll.ts';
import { NewPoll as newPollShape } from '../../protocol/poll.ts';
import { AppError } from '../errors.ts';
import type { HttpApp, HttpOptions, HttpParts } from '../http/parts.ts';
import { pollBytesMax, toPollDraft } from '../http/poll-body.ts';
import { findPoll, isManager } from '../http/requests.ts';
import { prefersHtml } from '../http/preferences.ts';
import { toPollView } from '../board/views.ts';
import { anyone } from '../poll/visibility.ts';
import { isOwnPage } from '../http/origins.ts';
import { readForm, type Form } from './forms.ts';
import { formShape, homeShape } from './home-shapes.ts';
import { showPoll, type Exchange } from './shown-poll.ts';

const pollsShownMax = 50;

export function registerHomeRoutes(app: HttpApp, parts: HttpParts, options: Pick<HttpOptions, 'createKey'>): void {
  const needsCreateKey = options.createKey !== null;

  app.get('/', { schema: homeShape }, (request, reply) => {
    if (prefersHtml(request.headers.accept)) return sendHome(parts, { request, reply }, null, needsCreateKey);
    return reply
      .header('vary', [reply.getHeader('vary') ?? [], 'Accept'].flat().join(', '))
      .send({ status: 'healthy' });
  });

  app.post('/', { bodyLimit: pollBytesMax, schema: formShape }, async (request, reply) => {
    const exchange = { request, reply };
    const form = readForm(request.body);
    if (!isOwnPage(request.headers, parts.site)) {
      throw new AppError('origin_forbidden', 'The form was sent by a page of another site.');
    }
    if (needsCreateKey)
      throw new AppError('credential_missing', 'Creating a poll here takes the create key, and a script.');
    const body = toNewPoll(form);
    const refuse = (detail: string): FastifyReply =>
      sendHome(
        parts,
        exchange,
        { detail, question: body.question, options: form.fields('option') },
        needsCreateKey,
        422,
      );
    if (!Value.Check(newPollShape, body)) return refuse('');
    try {
      const { poll, manageKey } = await parts.managePoll.create(toPollDraft(body, parts.results.now()));
      return await reply.redirect(`/p/${poll.slug}/manage#${manageKey}`, 303);
    } catch (error) {
      if (error instanceof AppError && error.row.status === 422) return refuse(error.message);
      throw error;
    }
  });
}

export function registerManageRoute(app: HttpApp, parts: HttpParts): void {
  app.get(
    '/p/:poll/manage',
    { schema: { hide: true } },
    async (request: FastifyRequest<{ Params: { poll: string } }>, reply) => {
      const poll = await findPoll(parts, request.params.poll);
      const manager = isManager(parts, request.headers, poll);
      const props = manager
        ? { ...showPoll(parts, poll, { manager, voted: false }), manager }
        : { poll: toPollView(poll, parts.results.statusOf(poll)), tally: null, manager };
      return parts.pages.send({ request, reply }, 'manage', props);
    },
  );
}

/** The form without a script has a question, options, and the kind of poll. */
function toNewPoll(form: Form): NewPoll {
  const options = form
    .fields('option')
    .flatMap((text) => text.split(/\r?\n/u))
    .map((text) => text.trim())
    .filter((text) => text !== '');
  const shared = { question: form.field('question').trim(), options };
  switch (form.field('kind')) {
    case 'several':
      return { ...shared, selections: { min: 1, max: Math.max(1, options.length) } };
    case 'board':
      return { ...shared, layout: 'board', electorate: 'open' };
    default:
      return shared;
  }
}

function sendHome(
  parts: HttpParts,
  exchange: Exchange,
  refused: { readonly detail: string; readonly question: string; readonly options: readonly string[] } | null,
  needsCreateKey: boolean,
  status = 200,
): FastifyReply {
  const { polls, results, pages, tokens } = parts;
  const shown = [...polls.all()]
    .filter((poll) => poll.listed && ['open', 'draft', 'paused'].includes(results.statusOf(poll)))
    .filter((poll) => poll.opensAt !== null)
    .sort((a, b) => b.pollNo - a.pollNo)
    .slice(0, pollsShownMax)
    .map((poll) => showPoll(parts, poll, anyone));
  const props = { polls: shown, needsCreateKey, takesTokens: tokens.hasKeys, refused };
  return pages.send(exchange, 'home', props, { status, listed: true });
}
