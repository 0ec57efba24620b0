/** The answer to bytes that are no HTTP request, or that come too slowly: no route and no reply object exist for them. */
import type { FastifyError } from 'fastify';
import { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { AppError, type ErrorCode } from '../errors.ts';
import { toQuickId } from '../lib/quick-id.ts';
import { problemMediaType, toProblem } from './problem.ts';

const refusals: Readonly<Record<string, { code: ErrorCode; detail: string }>> = {
  ERR_HTTP_REQUEST_TIMEOUT: { code: 'request_timeout', detail: 'The request did not arrive in time.' },
  HPE_HEADER_OVERFLOW: { code: 'request_malformed', detail: 'The headers are too large.' },
};
/** Answers to requests of which a part counts already: they say themselves what became of the rest. */
const ownAnswers = new WeakMap<ServerResponse, (refusal: AppError) => void>();
/** How long a refused client may take to read the answer and close. */
const lingerMs = 1_000;

/** From now on a broken or late body of this answer's request is told here, in place of refusing the request as a whole. */
export function onBrokenBody(answer: ServerResponse, tell: (refusal: AppError) => void): void {
  ownAnswers.set(answer, tell);
}

export function answerBrokenRequest(error: FastifyError, socket: Socket): void {
  const answer = answerUnderWay(socket);
  if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
  else if (answer === null) refuse(error, socket);
  else if (answer.req.complete) endAfter(answer, socket);
  // The broken bytes belong to the body of a request: before its answer has begun they are its refusal, afterwards the answer ends here.
  else if (ownAnswers.has(answer)) endByItself(answer, toRefusal(error), socket);
  else if (answer.headersSent) socket.destroy();
  else refuse(error, socket);
}

/** A whole request came before the broken bytes. Its answer must arrive: a refusal in its place would deny a ballot that counts. */
function endAfter(answer: ServerResponse, socket: Socket): void {
  answer.shouldKeepAlive = false;
  answer.once('close', () => socket.destroySoon());
}

function endByItself(answer: ServerResponse, refusal: AppError, socket: Socket): void {
  answer.shouldKeepAlive = false;
  answer.once('finish', () => socket.destroySoon());
  ownAnswers.get(answer)?.(refusal);
}

function toRefusal(error: FastifyError): AppError {
  const { code, detail } = refusals[error.code] ?? {
    code: 'request_malformed' as const,
    detail: 'This is not an HTTP request.',
  };
  return new AppError(code, detail);
}

function refuse(error: FastifyError, socket: Socket): void {
  const refusal = toRefusal(error);
  const requestId = toQuickId();
  const body = JSON.stringify(toProblem(refusal, requestId));
  const { status, title } = refusal.row;
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    `Content-Type: ${problemMediaType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    `Request-Id: ${requestId}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.setTimeout(lingerMs, () => socket.destroy());
}

/** The answer that Node has attached to this connection, as its documentation of `clientError` advises to look for. */
function answerUnderWay(socket: Socket): ServerResponse | null {
  return '_httpMessage' in socket && socket._httpMessage instanceof ServerResponse ? socket._httpMessage : null;
}
