/** How the contract `party` refuses: `{"error", "message"}` with a status of its own. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AppError, ErrorCode } from '../errors.ts';
import { answerProblem, prepareRefusal, toAppError } from '../http/problem.ts';

export class PartyRefusal extends Error {
  readonly status: number;
  readonly error: string;

  constructor(status: number, error: string, message: string) {
    super(message);
    this.name = 'PartyRefusal';
    this.status = status;
    this.error = error;
  }
}

/** The refusals of the core that this contract has words for. */
const refusals: Partial<Record<ErrorCode, (error: AppError) => PartyRefusal>> = {
  poll_closed: () => new PartyRefusal(410, 'Gone', 'Poll has expired'),
  poll_not_open: ({ message }) => new PartyRefusal(409, 'Conflict', message),
  ballot_already_cast: () => new PartyRefusal(409, 'Conflict', 'User has already voted on this poll'),
  idempotency_key_reused: ({ message }) => new PartyRefusal(409, 'Conflict', message),
  ballot_invalid: ({ message }) => new PartyRefusal(400, 'Validation Error', message),
  poll_invalid: (error) => new PartyRefusal(400, 'Validation Error', toSentence(error)),
  credential_missing: () => new PartyRefusal(403, 'Forbidden', 'This poll does not take declared users'),
  request_malformed: ({ message }) => new PartyRefusal(400, 'Validation Error', message),
};

export function answerPartyError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (thrown instanceof PartyRefusal) return answer(thrown, reply);
  const error = toAppError(thrown);
  const refusal = refusals[error.code]?.(error);
  if (refusal === undefined) return answerProblem(error, request, reply);
  return answer(refusal, prepareRefusal(error, request, reply));
}

function answer({ status, error, message }: PartyRefusal, reply: FastifyReply): FastifyReply {
  // No credential is asked for here.
  void reply.removeHeader('www-authenticate');
  return reply.code(status).header('cache-control', 'no-store').send({ error, message });
}

function toSentence({ violations }: AppError): string {
  const [first] = violations;
  return first === undefined
    ? 'The poll breaks a rule'
    : `${first.pointer.slice(1)}: ${first.rule.replaceAll('_', ' ')}`;
}
