/** How contracts of FastAPI programs refuse: `{"detail"}`, a text, or a list of what is wrong where. */
import { Type } from 'typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AppError, ErrorCode } from '../errors.ts';
import { refusalOf, type Answers } from '../http/answers.ts';
import { parseJson } from '../http/json-body.ts';
import type { HttpApp } from '../http/parts.ts';
import { prepareRefusal, toAppError } from '../http/problem.ts';

/** A fault of the request. `loc` is the way to it, from `body`, `query` or `path` on. */
export type Fault = { readonly loc: readonly (string | number)[]; readonly msg: string; readonly type: string };

export class DetailRefusal extends Error {
  readonly status: number;
  readonly detail: string | readonly Fault[];
  readonly retryAfterSeconds: number | null;

  constructor(status: number, detail: string | readonly Fault[], retryAfterSeconds: number | null = null) {
    super(typeof detail === 'string' ? detail : 'The request cannot be processed.');
    this.name = 'DetailRefusal';
    this.status = status;
    this.detail = detail;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

const Detail = Type.Object(
  {
    detail: Type.Union([
      Type.String(),
      Type.Array(
        Type.Object({
          type: Type.String(),
          loc: Type.Array(Type.Union([Type.String(), Type.Integer()]), {
            description: 'The way to the fault, from `body`, `query` or `path` on.',
          }),
          msg: Type.String(),
        }),
      ),
    ]),
  },
  { title: 'Detail', description: 'A refusal: a text, or a list of what is wrong where.' },
);

/** For the description of the API: refusals by status, each with what it tells and an example of its detail. */
export function detailAnswers(
  byStatus: Readonly<Record<number, readonly [description: string, detail: string | readonly Fault[]]>>,
): Answers {
  const described = Object.entries(byStatus).map(([status, [description, detail]]) => [
    status,
    refusalOf(Detail, description, { detail }),
  ]);
  return Object.fromEntries(described) as Answers; // By the same statuses.
}

/** What every route of these contracts may answer. */
export const brokenDetails = {
  500: ['The log of the server holds the cause.', 'The log of the server holds the cause.'],
  503: ['The server cannot take it now. Send it again after `Retry-After`.', 'The ledger does not answer.'],
} as const;

export function faultAt(loc: Fault['loc'], type: string, msg: string): DetailRefusal {
  return new DetailRefusal(422, [{ type, loc, msg }]);
}

/** The members of a body that is an object. @throws {DetailRefusal} 422 */
export function parseFields(body: unknown): Readonly<Record<string, unknown>> {
  if (body === undefined || body === null) throw faultAt(['body'], 'missing', 'Field required');
  if (typeof body === 'object' && !Array.isArray(body)) return body as Record<string, unknown>; // JSON has no other objects.
  throw faultAt(['body'], 'model_attributes_type', 'Input should be a valid dictionary or object');
}

/** The refusals of the core that a contract has another status or other words for. */
export type RefusalWords = Partial<Record<ErrorCode, (error: AppError) => DetailRefusal>>;

/** Within these routes any body is read as JSON, and every refusal has a `detail`. */
export function useDetailErrors(app: HttpApp, words: RefusalWords): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body: Buffer, done) => {
    try {
      done(null, body.length === 0 ? null : parseJson(body));
    } catch {
      done(faultAt(['body'], 'json_invalid', 'JSON decode error'));
    }
  });
  app.setErrorHandler((thrown, request, reply) => answerDetail(words, { thrown, request, reply }));
}

type Refused = { readonly thrown: unknown; readonly request: FastifyRequest; readonly reply: FastifyReply };

function answerDetail(words: RefusalWords, { thrown, request, reply }: Refused): FastifyReply {
  if (thrown instanceof DetailRefusal) return answer(thrown, reply);
  const error = toAppError(thrown);
  const refusal = words[error.code]?.(error) ?? new DetailRefusal(error.row.status, error.message);
  return answer(refusal, prepareRefusal(error, request, reply));
}

function answer({ status, detail, retryAfterSeconds }: DetailRefusal, reply: FastifyReply): FastifyReply {
  if (retryAfterSeconds !== null) void reply.header('retry-after', retryAfterSeconds);
  // A refusal that is told with another status asks for no credential.
  if (status === 401) void reply.header('www-authenticate', 'Bearer');
  else void reply.removeHeader('www-authenticate');
  return reply.code(status).header('cache-control', 'no-store').send({ detail });
}
