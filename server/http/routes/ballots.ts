/** Casting ballots and asking what became of them. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { BallotStatus, NewBallot, Receipt as ReceiptView } from '../../../protocol/ballot.ts';
import { exampleReceived } from '../../../protocol/examples.ts';
import { PollName } from '../../../protocol/poll.ts';
import { answerOf, readsHeaders, refusalsOf, withHeaders } from '../answers.ts';
import { securityOf } from '../api-document.ts';
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

const receiptHeaders = {
  Location: 'Where to ask what became of the ballot.',
  'Set-Cookie': 'The cookie `voter_id`, for the first ballot of a browser in a poll whose electorate is `cookie`.',
};
const received = withHeaders(
  answerOf(
    'application/json',
    ReceiptView,
    'The broker has the ballot durably, and it will be counted.',
    exampleReceived,
  ),
  { ...receiptHeaders, 'Preference-Applied': '`wait=2`, where the answer waited.' },
);

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
        operationId: 'castBallot',
        summary: 'Cast a ballot',
        description:
          'The answer comes after the ballot is committed: 201. With a broker (`--queue`) it comes when that has the ballot durably: 202, and the ' +
          'outcome is at `Location`; with `Prefer: wait=2` the answer waits up to two seconds for it. A retry with the same `Idempotency-Key` gets the same receipt; ' +
          'on a time-out or `recorded: "unknown"` send the same request again.',
        tags: ['ballots'],
        security: securityOf.voter,
        params: Type.Object({ poll: PollName }),
        reads: { headers: readsHeaders('Idempotency-Key', 'Prefer') },
        body: NewBallot,
        answers: { 201: withHeaders(ReceiptView, receiptHeaders), 202: received },
        refusals: [
          ...refusalsOf.poll,
          ...refusalsOf.body,
          ...refusalsOf.casting,
          ...refusalsOf.capacity,
          'credential_missing',
          'credential_invalid',
          'tokens_unverifiable',
          'ballot_already_cast',
          'ballot_invalid',
        ],
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
        operationId: 'readBallot',
        summary: 'What became of a ballot',
        description: 'For whoever holds the receipt. It never tells the selections.',
        tags: ['ballots'],
        params: Type.Object({ ballotId: Type.String({ description: 'From the receipt.' }) }),
        answers: { 200: BallotStatus },
        refusals: [...refusalsOf.reading, 'ballot_not_found'],
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
