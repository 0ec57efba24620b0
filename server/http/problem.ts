/** From whatever a handler threw to the answer that the client gets: application/problem+json (RFC 9457). */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Problem } from '../../protocol/problem.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import type { PageAnswers } from './page-answers.ts';
import { isLedgerAway } from './ledger-away.ts';

export const problemMediaType = 'application/problem+json; charset=utf-8';

/** What Fastify itself refuses, in our words. */
const ourCodes: Readonly<Record<string, { code: ErrorCode; detail: string }>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'body_too_large', detail: 'The body is larger than this route reads.' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'media_type_unsupported',
    detail: 'This route does not read this media type.',
  },
  FST_ERR_CTP_EMPTY_JSON_BODY: { code: 'request_malformed', detail: 'The body is empty.' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { code: 'request_malformed', detail: 'Content-Length does not fit the body.' },
  FST_ERR_BAD_URL: { code: 'request_malformed', detail: 'The address cannot be read.' },
};

/** The refusal behind an error; whatever is not expected is a bug of ours, and its cause stays in the log. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const known = hasCode(error) ? ourCodes[error.code] : undefined;
  if (known !== undefined) return new AppError(known.code, known.detail, { cause: error });
  if (isClientError(error)) return new AppError('request_malformed', 'The request cannot be read.', { cause: error });
  if (isLedgerAway(error)) return new AppError('ledger_unavailable', 'The ledger does not answer.', { cause: error });
  return new AppError('internal', 'The log of the server holds the cause.', { cause: error });
}

export function toProblem(error: AppError, requestId: string): Problem {
  return {
    type: `/problems/${error.code}`,
    title: error.row.title,
    status: error.row.status,
    detail: error.message,
    instance: `urn:request:${requestId}`,
    code: error.code,
    recorded: error.recorded,
    ...(error.violations.length > 0 ? { violations: [...error.violations] } : {}),
    ...error.extra,
  };
}

/** Sets what every answer to a refusal has, whatever its body: status, Retry-After, a line in the log. */
export function prepareRefusal(error: AppError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status } = error.row;
  const { retryAfterSeconds } = error;
  if (status >= 500) request.log.error({ err: error, code: error.code }, 'request failed');
  else request.log.debug({ code: error.code }, 'request refused');
  if (retryAfterSeconds !== undefined) void reply.header('retry-after', retryAfterSeconds);
  if (status === 401) {
    const challenge = error.code === 'credential_invalid' ? 'Bearer error="invalid_token"' : 'Bearer';
    void reply.header('www-authenticate', challenge);
  }
  // What Fastify refuses before any hook runs has no id in its headers yet.
  return reply.code(status).header('cache-control', 'no-store').header('request-id', request.id);
}

export function answerProblem(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = toAppError(thrown);
  return prepareRefusal(error, request, reply)
    .type(problemMediaType)
    .send(JSON.stringify(toProblem(error, request.id)));
}

/** The same for somebody who looks at a page. */
export function answerProblemPage(
  { pages }: { readonly pages: PageAnswers },
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const error = toAppError(thrown);
  const { status, title } = error.row;
  const props = { status, code: error.code, title, detail: error.message };
  return pages.send({ request, reply: prepareRefusal(error, request, reply) }, 'problem', props, { status });
}

function hasCode(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

function isClientError(error: unknown): boolean {
  return (
    error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' && error.statusCode < 500
  );
}
