/** HTTP as bytes on a connection of its own: for what no HTTP client would send, and to see all that comes back. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export type WireRequest = {
  readonly method: string;
  /** Sent as it stands. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
};

export type WireAnswer = {
  readonly status: number;
  readonly body: string;
  /** Everything that came, from the first status line on. */
  readonly text: string;
  header(name: string): string | null;
};

/** The bytes of a request that asks for the connection to be closed after its answer. */
export function toBytes({ method, path, headers = {}, body }: WireRequest): Buffer {
  const length =
    body === undefined || 'transfer-encoding' in headers ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const fields = { host: 'localhost', connection: 'close', ...length, ...headers };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  return Buffer.concat([
    Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`),
    Buffer.from(body ?? ''),
  ]);
}

export async function ask(serverUrl: string, request: WireRequest): Promise<WireAnswer> {
  return exchange(serverUrl, toBytes(request));
}

/** Sends the bytes and reads until the server closes the connection. `end` closes our side after the last byte. */
export async function exchange(serverUrl: string, bytes: Buffer | string, end = false): Promise<WireAnswer> {
  const socket = openSocket(serverUrl);
  if (end) socket.end(bytes);
  else socket.write(bytes);
  return toAnswer(await readToEnd(socket));
}

export function openSocket(serverUrl: string): Socket {
  return connect(Number(new URL(serverUrl).port), '127.0.0.1');
}

/** What comes until the connection ends; a reset ends it, too. */
export function readToEnd(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  return new Promise((resolve) => {
    socket.on('data', (chunk) => chunks.push(Buffer.from(chunk)));
    socket.on('error', () => undefined);
    socket.once('close', () => resolve(Buffer.concat(chunks).toString('utf8')));
  });
}

/** A WebSocket whose other side reads nothing and says nothing more. Closed when the test has finished. */
export async function openMuteSocket(serverUrl: string, path: string): Promise<Socket> {
  const socket = connect({ port: Number(new URL(serverUrl).port), host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
  socket.write(
    toBytes({ method: 'GET', path, headers: { ...headers, 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' } }),
  );
  const [answer] = (await once(socket, 'data')) as [Buffer];
  if (!answer.toString().startsWith('HTTP/1.1 101 ')) throw new Error('The server opened no WebSocket.');
  socket.pause();
  return socket;
}

/** The last answer in the text, after any `100 Continue`; status 0 where none came. */
function toAnswer(text: string): WireAnswer {
  const answer = text.replace(/^HTTP\/1\.1 100 [^\r]*\r\n\r\n/u, '');
  const [head = '', ...rest] = answer.split('\r\n\r\n');
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/u.exec(head)?.[1] ?? 0),
    body: rest.join('\r\n\r\n'),
    text,
    header: (name) => new RegExp(`^${name}: (.*)$`, 'imu').exec(head)?.[1]?.trim() ?? null,
  };
}
