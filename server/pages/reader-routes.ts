/** The pages of readers: a poll's results, its projector page, and the leaderboard across polls. */
import type { FastifyRequest } from 'fastify';
import type { HttpApp, HttpParts } from '../http/parts.ts';
import { findPoll, isManager } from '../http/requests.ts';
import type { Poll } from '../poll/poll.ts';
import { ballotOfVisitor, showPoll } from './shown-poll.ts';

type PollRequest = FastifyRequest<{ Params: { poll: string } }>;

/** How many polls the projector steps through at most. */
const deckPollsMax = 50;

export function registerReaderRoutes(app: HttpApp, parts: HttpParts): void {
  const hidden = { schema: { hide: true } };

  app.get('/p/:poll/results', hidden, async (request: PollRequest, reply) => {
    const poll = await findPoll(parts, request.params.poll);
    const manager = isManager(parts, request.headers, poll);
    const voted =
      !manager && poll.visibility === 'after_vote' && (await ballotOfVisitor(parts, request, poll)) !== null;
    const shown = showPoll(parts, poll, { manager, voted });
    return parts.pages.send(
      { request, reply },
      'results',
      { ...shown, series: shown.tally === null ? null : await parts.series.read(poll) },
      {
        shared: !manager,
        listed: poll.listed,
        canonicalPath: `/p/${poll.slug}/results`,
        picturePath: `/p/${poll.slug}/card.png`,
      },
    );
  });

  app.get('/p/:poll/present', hidden, async (request: PollRequest, reply) => {
    const poll = await findPoll(parts, request.params.poll);
    const manager = isManager(parts, request.headers, poll);
    const shown = showPoll(parts, poll, { manager, voted: false });
    const props = { ...shown, manager, deck: await toDeck(parts, poll) };
    return parts.pages.send({ request, reply }, 'present', props, { shared: !manager });
  });
}

/** The listed polls in the order of their making, and this one among them even where it is not listed. */
async function toDeck({ pollStore }: Pick<HttpParts, 'pollStore'>, poll: Poll): Promise<string[]> {
  const newest = await pollStore.listNewest({ limit: deckPollsMax, beforePollNo: null });
  const others = newest.filter(({ pollNo }) => pollNo !== poll.pollNo);
  return [...others, poll].sort((a, b) => a.pollNo - b.pollNo).map(({ slug }) => slug);
}
