/** The contract `live`: votes for events. Nobody registers a poll: it exists from the first vote for its id, and so do its options. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { SharedBoard } from '../board/shared-board.ts';
import { AppError } from '../errors.ts';
import type { Contract } from '../http/app.ts';
import type { HttpApp, HttpParts } from '../http/parts.ts';
import { idempotencyKeyOf, requireCreateKey } from '../http/requests.ts';
import type { PollsByVote } from '../intake/polls-by-vote.ts';
import type { Poll } from '../poll/poll.ts';
import { anyone } from '../poll/visibility.ts';
import { DetailRefusal, useDetailErrors, type RefusalWords } from './detail-errors.ts';
import { parseOptionId, parsePollId } from './live-bodies.ts';
import * as shapes from './live-shapes.ts';

export type LiveParts = {
  readonly pollsByVote: PollsByVote;
  readonly sharedBoard: Pick<SharedBoard, 'read'>;
};

export type LiveOptions = {
  /** The path before `/vote` and `/results`; empty for none. */
  readonly prefix: string;
  /** With it, a vote makes a poll only where it brings this key. */
  readonly createKey: string | null;
};

type House = HttpParts & LiveParts & LiveOptions;
type PollRequest = FastifyRequest<{ Params: { poll_id: string } }>;
type Vote = { readonly name: string; readonly optionId: string; readonly idempotencyKey: string | null };

const tags = ['contracts'];
const accepted = JSON.stringify({ status: 'success', message: 'Vote accepted' });
/** Room comes only when somebody deletes polls. */
const fullRetrySeconds = 3_600;

const refusals: RefusalWords = {
  // These polls have voters, and here nobody can be one.
  credential_missing: ({ message }) => new DetailRefusal(403, message),
  idempotency_key_reused: ({ message }) => new DetailRefusal(409, message),
};

export function createLiveContract(live: LiveParts, options: LiveOptions): Contract {
  return {
    openToAnyOrigin: null,
    register(app, parts) {
      const house = { ...parts, ...live, ...options };
      useDetailErrors(app, refusals);
      registerVote(app, house);
      registerResults(app, house);
    },
  };
}

function registerVote(app: HttpApp, house: House): void {
  const schema = {
    operationId: 'voteInLivePoll',
    summary: 'Vote, without limit and without a name',
    description:
      'A poll and an option exist from the first vote for them. A poll that somebody made keeps its own rules. A retry with the same ' +
      '`Idempotency-Key` counts once.',
    tags,
    security: [{}, { createKey: [] }],
    reads: shapes.voteReads,
    answers: shapes.voteAnswers,
  };
  /** The hot path: no promise on the way where the poll and the option are known. */
  app.post(`${house.prefix}/vote/:poll_id`, { schema }, (request: PollRequest, reply) => {
    const vote = {
      name: parsePollId(request.params.poll_id),
      optionId: parseOptionId(request.body),
      idempotencyKey: idempotencyKeyOf(request),
    };
    const poll = peekPoll(house, vote.name);
    if (poll !== undefined && isReadyFor(poll, vote)) return cast(house, poll, vote, reply);
    findOrMake(house, request, vote)
      .then((found) => cast(house, found, vote, reply))
      .catch((error: unknown) => reply.send(error));
  });
}

function cast({ castBallot }: House, poll: Poll, { optionId, idempotencyKey }: Vote, reply: FastifyReply): void {
  if (!poll.optionNoById.has(optionId)) throw new DetailRefusal(404, 'Option not found');
  castBallot({ poll, voter: { kind: 'open' }, optionIds: [optionId], idempotencyKey }, (result) => {
    if (result instanceof AppError) void reply.send(result);
    else void reply.header('content-type', 'application/json; charset=utf-8').send(accepted);
  });
}

/** Whether a vote needs nothing made: of polls that somebody made, votes change nothing. */
function isReadyFor(poll: Poll, { optionId }: Vote): boolean {
  return poll.madeAs === null || poll.optionNoById.has(optionId);
}

/** @throws {DetailRefusal} 429 where there may be no more polls or options */
async function findOrMake(house: House, request: FastifyRequest, vote: Vote): Promise<Poll> {
  const { pollsByVote, polls, createKey } = house;
  const { name, optionId } = vote;
  if (createKey !== null && (await findPoll(house, name)) === null) requireCreateKey(request, createKey);
  const wanted = await pollsByVote.want(peekPoll(house, name)?.madeAs ?? name, optionId);
  if (typeof wanted === 'object') return wanted;
  if (wanted === 'options_full') {
    throw new DetailRefusal(429, 'This poll has as many options as it may have.', fullRetrySeconds);
  }
  const standing = await polls.find(name);
  if (standing === null) {
    throw new DetailRefusal(429, 'This server holds as many polls of this kind as it may.', fullRetrySeconds);
  }
  // The slug of a poll that other votes made leads to it, too.
  return isReadyFor(standing, vote) ? standing : findOrMake(house, request, vote);
}

function peekPoll({ polls }: House, name: string): Poll | undefined {
  return polls.peekMade(name) ?? polls.peek(name);
}

async function findPoll(house: House, name: string): Promise<Poll | null> {
  return peekPoll(house, name) ?? (await house.polls.findMade(name)) ?? (await house.polls.find(name));
}

function registerResults(app: HttpApp, house: House): void {
  const { results, sharedBoard } = house;
  const schema = {
    operationId: 'readLiveResults',
    summary: 'The votes of a poll by option',
    description:
      '`served_via`: `redis_<port>` for a node of the ring, `app_cache` for an answer up to 5 s old, `in_memory` for the process itself. Options ' +
      'without votes are not listed, and a poll that nobody has voted in has none.',
    tags,
    reads: shapes.resultsReads,
    answers: shapes.resultsAnswers,
  };
  app.get(`${house.prefix}/results/:poll_id`, { schema }, async (request: PollRequest, reply) => {
    const name = parsePollId(request.params.poll_id);
    const poll = await findPoll(house, name);
    void reply.header('cache-control', 'no-cache');
    if (poll === null) return { poll_id: name, results: {}, served_via: 'in_memory' };
    // What a poll hides it hides here, too, and at once.
    if (results.tallyOf(poll, anyone) === null) throw new AppError('results_hidden', 'The results are hidden.');
    const { votesOf, servedVia } = await sharedBoard.read(poll);
    const counted = poll.options.map(({ id }) => [id, votesOf(id)] as const).filter(([, votes]) => votes > 0);
    return { poll_id: name, results: Object.fromEntries(counted), served_via: servedVia };
  });
}
