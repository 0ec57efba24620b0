/** How the contract `election` refuses: `{"detail"}`, as FastAPI does; a text, or a list of what is wrong where. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AppError, ErrorCode } from '../errors.ts';
import { prepareRefusal, toAppError } from '../http/problem.ts';

/** A fault of the request. `loc` is the way to it, from `body`, `query` or `path` on. */
export type Fault = { readonly loc: readonly (string | number)[]; readonly msg: string; readonly type: string };

export class ElectionRefusal extends Error {
  readonly status: number;
  readonly detail: string | readonly Fault[];
  readonly retryAfterSeconds: number | null;

  constructor(status: number, detail: string | readonly Fault[], retryAfterSeconds: number | null = null) {
    super(typeof detail === 'string' ? detail : 'The request cannot be processed.');
    this.name = 'ElectionRefusal';
    this.status = status;
    this.detail = detail;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export function faultAt(loc: Fault['loc'], type: string, msg: string): ElectionRefusal {
  return new ElectionRefusal(422, [{ type, loc, msg }]);
}

/** The refusals of the core that this contract has another status or other words for. */
const refusals: Partial<Record<ErrorCode, (error: AppError) => ElectionRefusal>> = {
  credential_missing: () => new ElectionRefusal(401, 'Could not validate credentials: no token was sent.'),
  credential_invalid: ({ message }) =>
    new ElectionRefusal(401, `Could not validate credentials: ${message.charAt(0).toLowerCase()}${message.slice(1)}`),
  idempotency_key_reused: ({ message }) => new ElectionRefusal(409, message),
};

export function answerElectionError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (thrown instanceof ElectionRefusal) return answer(thrown, reply);
  const error = toAppError(thrown);
  const refusal = refusals[error.code]?.(error) ?? new ElectionRefusal(error.row.status, error.message);
  return answer(refusal, prepareRefusal(error, request, reply));
}

function answer({ status, detail, retryAfterSeconds }: ElectionRefusal, reply: FastifyReply): FastifyReply {
  if (retryAfterSeconds !== null) void reply.header('retry-after', retryAfterSeconds);
  if (status === 401) void reply.header('www-authenticate', 'Bearer');
  return reply.code(status).header('cache-control', 'no-store').send({ detail });
}
