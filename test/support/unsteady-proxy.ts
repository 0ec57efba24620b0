/** The network between a client and a server on a bad day: requests that must not be lost meet each fault once. */
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { onTestFinished } from 'vitest';

export type UnsteadyProxy = {
  readonly url: string;
  /** The `Idempotency-Key` of each request to the troubled path, in order. */
  readonly keys: readonly string[];
};

/**
 * Of the requests whose path ends so, the first is answered with 503 and does not reach the server; the second does, and its answer is
 * cut off; everything else passes. Closed when the test has finished.
 */
export async function startUnsteadyProxy(serverUrl: string, troubledPath: string): Promise<UnsteadyProxy> {
  const keys: string[] = [];
  const proxy = createServer((incoming, answer) => {
    const troubled = incoming.url?.endsWith(troubledPath) === true;
    if (troubled) keys.push(String(incoming.headers['idempotency-key']));
    if (troubled && keys.length === 1) return refuse(incoming, answer);
    return forward(serverUrl, incoming, (response) => {
      if (troubled && keys.length === 2) return void response.resume().once('end', () => incoming.socket.destroy());
      answer.writeHead(response.statusCode ?? 502, response.headers);
      pipeline(response, answer, () => undefined);
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, keys }; // It listens on TCP.
}

function refuse(incoming: IncomingMessage, answer: ServerResponse): void {
  incoming.resume();
  answer.writeHead(503, { 'retry-after': '1', 'content-type': 'application/json' }).end('{"recorded": "no"}');
}

function forward(serverUrl: string, incoming: IncomingMessage, onAnswer: (response: IncomingMessage) => void): void {
  const { method, headers, url = '/' } = incoming;
  const outgoing = request(new URL(url, serverUrl), { method, headers }, onAnswer);
  outgoing.once('error', () => incoming.socket.destroy());
  incoming.socket.once('close', () => outgoing.destroy());
  incoming.pipe(outgoing);
}
