/** The contract `election`: users vote once for a candidate, their votes are accepted, and then processed. */
import { Type } from 'typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors.ts';
import { answers } from '../http/answers.ts';
import type { Contract } from '../http/app.ts';
import type { HttpApp, HttpParts } from '../http/parts.ts';
import { bearerOf, idempotencyKeyOf, tokenVoterOf } from '../http/requests.ts';
import type { ElectionStore } from '../ledger/election.ts';
import type { RateLimit } from '../ops/rate-limit.ts';
import type { Poll } from '../poll/poll.ts';
import { DetailRefusal, detailShape as detail, useDetailErrors } from './detail-errors.ts';
import { parseCandidateId, parseResultsQuery, parseVoteBody } from './election-bodies.ts';
import { electionRefusals } from './election-errors.ts';
import { findElectionPoll } from './election-poll.ts';
import type { ReadElectionResults } from './election-results.ts';
import { acceptVote, readVoteStatus } from './election-votes.ts';

export type ElectionParts = {
  readonly votes: ElectionStore;
  readonly rateLimit: RateLimit;
  readonly readResults: ReadElectionResults;
};

const tags = ['contracts'];
const processingStatus = Type.Union(
  ['received', 'validating', 'processed', 'failed'].map((status) => Type.Literal(status)),
);

export function createElectionContract(election: ElectionParts): Contract {
  return {
    openToAnyOrigin: null,
    register(app, parts) {
      useDetailErrors(app, electionRefusals);
      registerVote(app, parts, election);
      registerVoteStatus(app, parts, election);
      registerResults(app, parts, election);
    },
  };
}

function registerVote(app: HttpApp, parts: HttpParts, { votes, rateLimit }: ElectionParts): void {
  const schema = {
    summary: 'Vote in the election',
    description:
      'The user is known by a token (JWT): `{"candidate_id", "user_token"}`, or `{"candidate_id"}` with `Authorization: Bearer`. ' +
      'A second vote of the same user is accepted, too, and ends as `failed`.',
    tags,
    response: answers({
      202: Type.Object({
        status: Type.Literal('accepted'),
        message: Type.String(),
        timestamp: Type.String(),
        vote_id: Type.String(),
      }),
      '4xx': detail,
      '5xx': detail,
    }),
  };
  app.post('/api/v1/vote', { schema }, async (request, reply) => {
    const vote = parseVoteBody(request.body);
    const voter = await tokenVoterOf(parts, vote.token ?? bearerOf(request.headers));
    await checkRate(rateLimit, voter.identity);
    const candidateId = parseCandidateId(vote.candidateId, ['body', 'candidate_id']);
    const poll = await findElection(parts);
    if (!poll.optionNoById.has(candidateId)) throw new DetailRefusal(404, 'Candidate not found');
    const idempotencyKey = idempotencyKeyOf(request);
    const { voteId, acceptedAt } = await acceptVote(
      { ...parts, votes },
      { poll, voter, optionIds: [candidateId], idempotencyKey },
    );
    void reply.code(202).header('location', `/api/v1/votes/${voteId}`).header('cache-control', 'no-store');
    return {
      status: 'accepted',
      message: 'Vote accepted for processing',
      timestamp: new Date(acceptedAt).toISOString(),
      vote_id: voteId,
    };
  });
}

async function checkRate(rateLimit: RateLimit, identity: string): Promise<void> {
  const seconds = await rateLimit.take(identity);
  if (seconds > 0) throw new DetailRefusal(429, 'Rate limit exceeded. Try again later.', seconds);
}

function registerVoteStatus(app: HttpApp, { ballotStates }: HttpParts, { votes }: ElectionParts): void {
  const schema = {
    summary: 'What became of a vote in the election',
    tags,
    response: answers({
      200: Type.Object({
        vote_id: Type.String(),
        processing_status: processingStatus,
        reason: Type.Optional(Type.String()),
        candidate_id: Type.Union([Type.String(), Type.Null()], { description: 'null while the vote is under way.' }),
        timestamp: Type.Union([Type.String(), Type.Null()]),
      }),
      404: detail,
    }),
  };
  app.get<{ Params: { voteId: string } }>('/api/v1/votes/:voteId', { schema }, async (request, reply) => {
    const vote = await readVoteStatus({ votes, ballotStates }, request.params.voteId);
    if (vote === null) throw new DetailRefusal(404, 'Vote not found');
    void reply.header('cache-control', 'no-store');
    return {
      vote_id: vote.voteId,
      processing_status: vote.status,
      ...(vote.reason === null ? {} : { reason: vote.reason }),
      candidate_id: vote.candidateId,
      timestamp: vote.at === null ? null : new Date(vote.at).toISOString(),
    };
  });
}

function registerResults(app: HttpApp, parts: HttpParts, { readResults }: ElectionParts): void {
  const schema = {
    summary: 'The results of the election, most votes first',
    description:
      '`page` from 1 (default 1), `limit` from 1 to 100 (default 100), `candidate_id` for one candidate alone.',
    tags,
    response: answers({
      200: Type.Object({
        results: Type.Array(
          Type.Object({ candidate_id: Type.String(), name: Type.String(), vote_count: Type.Integer() }),
        ),
        last_updated: Type.String(),
      }),
      '4xx': detail,
    }),
  };
  app.get('/api/v1/results', { schema }, async (request: FastifyRequest, reply: FastifyReply) => {
    const { candidateId, page, limit } = parseResultsQuery(request.url);
    const read = await readResults(await findElection(parts));
    if (read === null) throw new AppError('results_hidden', 'The results are hidden.');
    const matching = read.results.filter((result) => candidateId === null || result.candidate_id === candidateId);
    void reply.header('cache-control', 'no-cache');
    return {
      results: matching.slice((page - 1) * limit, page * limit),
      last_updated: new Date(read.lastUpdatedMs).toISOString(),
    };
  });
}

async function findElection(parts: HttpParts): Promise<Poll> {
  const poll = await findElectionPoll(parts);
  if (poll === null) throw new DetailRefusal(404, 'There is no election.');
  return poll;
}
