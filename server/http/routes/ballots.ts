/** Casting ballots and asking what became of them. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { BallotStatus, NewBallot, Receipt as ReceiptView } from '../../../protocol/ballot.ts';
import { Problem } from '../../../protocol/problem.ts';
import { answers } from '../answers.ts';
import { AppError } from '../../errors.ts';
import type { Receipt, Voter } from '../../intake/cast-ballot.ts';
import type { Poll } from '../../poll/poll.ts';
import type { HttpApp, HttpParts } from '../parts.ts';
import { findPoll, idempotencyKeyOf, voterOf } from '../requests.ts';
import { awaitOutcome, waitMsOf } from '../ballot-answers.ts';
import { toBallotStatus, toReceiptView } from '../views.ts';

function sendReceipt(receipt: Receipt, reply: FastifyReply): void {
  const status = receipt.state === 'counted' ? 201 : 202;
  void reply.code(status).header('location', `/api/v1/ballots/${receipt.ballotId}`).send(toReceiptView(receipt));
}

export function registerBallotRoutes(app: HttpApp, parts: HttpParts): void {
  registerCasting(app, parts);
  registerStatus(app, parts);
}

function registerCasting(app: HttpApp, parts: HttpParts): void {
  /** The hot path: from a known poll to the answer without a promise on the way. */
  function cast(poll: Poll, request: FastifyRequest<{ Body: NewBallot }>, reply: FastifyReply): void {
    const { userId, selections } = request.body;
    const idempotencyKey = idempotencyKeyOf(request);
    const voter = voterOf(parts, poll, { request, reply, userId, idempotencyKey });
    if (voter instanceof Promise) voter.then(castAs).catch((error: unknown) => reply.send(error));
    else castAs(voter);

    function castAs(known: Voter): void {
      parts.castBallot({ poll, voter: known, optionIds: selections, idempotencyKey }, (result) => {
        if (result instanceof AppError) void reply.send(result);
        else if (result.state === 'counted') sendReceipt(result, reply);
        else void answerReceived(result, request, reply);
      });
    }
  }

  /** The log has the ballot. A client that would rather wait gets the outcome, where it comes in time. */
  async function answerReceived(received: Receipt, { headers }: FastifyRequest, reply: FastifyReply): Promise<void> {
    try {
      const waitMs = waitMsOf(headers);
      if (waitMs > 0) void reply.header('preference-applied', `wait=${waitMs / 1_000}`);
      sendReceipt(await awaitOutcome(parts.ballotStates, received, waitMs), reply);
    } catch (error) {
      void reply.send(error);
    }
  }

  app.post(
    '/api/v1/polls/:poll/ballots',
    {
      schema: {
        summary: 'Cast a ballot',
        description:
          'The answer comes after the ballot is committed: 201. With a broker (`--queue`) it comes when that has the ballot durably: 202, and the ' +
          'outcome is at `Location`; with `Prefer: wait=2` the answer waits up to two seconds for it. A retry with the same `Idempotency-Key` gets the same receipt; ' +
          'on a time-out or `recorded: "unknown"` send the same request again.',
        tags: ['ballots'],
        params: Type.Object({ poll: Type.String() }),
        headers: Type.Object({
          prefer: Type.Optional(Type.String({ description: '`wait=2`: the seconds to wait for the outcome.' })),
          'idempotency-key': Type.Optional(Type.String()),
          authorization: Type.Optional(
            Type.String({ description: '`Bearer <token>`, in polls whose electorate is `token`.' }),
          ),
        }),
        body: NewBallot,
        response: answers({ 201: ReceiptView, 202: ReceiptView, '4xx': Problem, '5xx': Problem }),
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
}

function registerStatus(app: HttpApp, parts: HttpParts): void {
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
      const state = await parts.ballotStates.read(request.params.ballotId);
      if (state === null) throw new AppError('ballot_not_found', 'No ballot has this id.');
      void reply.header('cache-control', 'no-store');
      return toBallotStatus(state);
    },
  );
}
