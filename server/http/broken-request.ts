/** The answer to bytes that are no HTTP request, or that come too slowly: no route and no reply object exist for them. */
import type { FastifyError } from 'fastify';
import type { Socket } from 'node:net';
import { AppError, type ErrorCode } from '../errors.ts';
import { toQuickId } from '../lib/quick-id.ts';
import { problemMediaType, toProblem } from './problem.ts';

const refusals: Readonly<Record<string, { code: ErrorCode; detail: string }>> = {
  ERR_HTTP_REQUEST_TIMEOUT: { code: 'request_timeout', detail: 'The request did not arrive in time.' },
  HPE_HEADER_OVERFLOW: { code: 'request_malformed', detail: 'The headers are too large.' },
};

export function answerBrokenRequest(error: FastifyError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { code, detail } = refusals[error.code] ?? {
    code: 'request_malformed' as const,
    detail: 'This is not an HTTP request.',
  };
  const refusal = new AppError(code, detail);
  const body = JSON.stringify(toProblem(refusal, toQuickId()));
  const { status, title } = refusal.row;
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    `Content-Type: ${problemMediaType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
