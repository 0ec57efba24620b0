/** Casting ballots and asking what became of them. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { BallotStatus, NewBallot, Receipt } from '../../../protocol/ballot.ts';
import { Problem } from '../../../protocol/problem.ts';
import { answers } from '../answers.ts';
import { AppError } from '../../errors.ts';
import type { Poll } from '../../poll/poll.ts';
import type { HttpApp, HttpParts } from '../parts.ts';
import { findPoll, idempotencyKeyOf, voterOf } from '../requests.ts';
import { toReceiptView } from '../views.ts';

export function registerBallotRoutes(app: HttpApp, parts: HttpParts): void {
  /** The hot path: from a known poll to the answer without a promise on the way. */
  function cast(poll: Poll, request: FastifyRequest<{ Body: NewBallot }>, reply: FastifyReply): void {
    const { userId, selections } = request.body;
    const idempotencyKey = idempotencyKeyOf(request);
    const voter = voterOf(parts, poll, { request, reply, userId, idempotencyKey });
    parts.castBallot({ poll, voter, optionIds: selections, idempotencyKey }, (result) => {
      if (result instanceof AppError) void reply.send(result);
      else void reply.code(201).header('location', `/api/v1/ballots/${result.ballotId}`).send(toReceiptView(result));
    });
  }

  app.post(
    '/api/v1/polls/:poll/ballots',
    {
      schema: {
        summary: 'Cast a ballot',
        description:
          'The answer comes after the ballot is committed. A retry with the same `Idempotency-Key` gets the same receipt; ' +
          'on a time-out or `recorded: "unknown"` send the same request again.',
        tags: ['ballots'],
        params: Type.Object({ poll: Type.String() }),
        headers: Type.Object({ 'idempotency-key': Type.Optional(Type.String()) }),
        body: NewBallot,
        response: answers({ 201: Receipt, '4xx': Problem, '5xx': Problem }),
      },
    },
    (request, reply) => {
      const poll = parts.polls.peek(request.params.poll);
      if (poll !== undefined) return cast(poll, request, reply);
      findPoll(parts, request.params.poll)
        .then((found) => cast(found, request, reply))
        .catch((error: unknown) => reply.send(error));
    },
  );

  app.get(
    '/api/v1/ballots/:ballotId',
    {
      schema: {
        summary: 'What became of a ballot',
        description: 'For whoever holds the receipt. It never tells the selections.',
        tags: ['ballots'],
        params: Type.Object({ ballotId: Type.String() }),
        response: answers({ 200: BallotStatus, 404: Problem }),
      },
    },
    async (request, reply) => {
      const ballot = await parts.ballots.find(request.params.ballotId);
      if (ballot === null) throw new AppError('ballot_not_found', 'No ballot has this id.');
      void reply.header('cache-control', 'no-store');
      const { ballotId, pollId, castAt, status } = ballot;
      return { ballotId, pollId, castAt: new Date(castAt).toISOString(), status };
    },
  );
}
