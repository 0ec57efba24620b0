/** The contract `election`: users vote once for a candidate, their votes are accepted, and then processed. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors.ts';
import type { Contract } from '../http/app.ts';
import type { HttpApp, HttpParts } from '../http/parts.ts';
import { bearerOf, idempotencyKeyOf, tokenVoterOf } from '../http/requests.ts';
import type { ElectionStore } from '../ledger/election.ts';
import type { RateLimit } from '../ops/rate-limit.ts';
import type { Poll } from '../poll/poll.ts';
import { DetailRefusal, useDetailErrors } from './detail-errors.ts';
import { parseCandidateId, parseResultsQuery, parseVoteBody } from './election-bodies.ts';
import { electionRefusals } from './election-errors.ts';
import * as shapes from './election-shapes.ts';
import { findElectionPoll } from './election-poll.ts';
import type { ReadElectionResults } from './election-results.ts';
import { acceptVote, readVoteStatus } from './election-votes.ts';

export type ElectionParts = {
  readonly votes: ElectionStore;
  readonly rateLimit: RateLimit;
  readonly readResults: ReadElectionResults;
};

const tags = ['contracts'];

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
    operationId: 'voteInElection',
    summary: 'Vote in the election',
    description:
      'The user is known by a token (JWT): `{"candidate_id", "user_token"}`, or `{"candidate_id"}` with `Authorization: Bearer`. ' +
      'A second vote of the same user is accepted, too, and ends as `failed`.',
    tags,
    security: [{}, { voterToken: [] }],
    reads: shapes.voteReads,
    answers: shapes.voteAnswers,
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
    operationId: 'readElectionVote',
    summary: 'What became of a vote in the election',
    description: 'For whoever holds the id. It is asked for as often as one likes.',
    tags,
    reads: shapes.statusReads,
    answers: shapes.statusAnswers,
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
    operationId: 'readElectionResults',
    summary: 'The results of the election, most votes first',
    tags,
    reads: shapes.resultsReads,
    answers: shapes.resultsAnswers,
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
