/**
 * A closed-loop load client in a process of its own: each connection sends its next request when the last was answered.
 * Raw sockets and requests built beforehand, so that it costs less than the server that it measures.
 * Takes its orders as JSON in the first argument and prints one line of JSON.
 */
import { randomFillSync } from 'node:crypto';
import { connect } from 'node:net';
import { createHistogram } from './statistics.ts';

export type LoadOrder = {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
  /** `vote` sends a ballot of a random voter, `get` reads. */
  readonly kind: 'vote' | 'get';
  /** Keeps the id of every receipt, for the gates. */
  readonly keepReceipts: boolean;
};

export type LoadResult = {
  /** When the first request was sent. Milliseconds since 1970. */
  readonly startedAt: number;
  readonly answered: number;
  readonly refused: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  /** Share of one core that the client used. */
  readonly clientCpu: number;
  readonly receipts: readonly string[];
};

const voterChars = 16;
const headEnd = Buffer.from('\r\n\r\n');

function run(order: LoadOrder): Promise<LoadResult> {
  const latencies = createHistogram();
  const receipts: string[] = [];
  const startedCpu = process.cpuUsage();
  const startedAt = performance.now();
  const endsAt = startedAt + order.seconds * 1_000;
  let answered = 0;
  let refused = 0;

  function takeAnswer(head: string, body: string, sentAt: number): void {
    latencies.add(performance.now() - sentAt);
    if (head.startsWith('2', 9)) answered += 1;
    else refused += 1;
    if (order.keepReceipts && head.startsWith('201', 9)) receipts.push(body.slice(13, 49));
  }

  function openConnection(): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect(order.port, '127.0.0.1').setNoDelay(true);
      const { bytes, voterOffset } = toRequest(order);
      let received: Buffer = Buffer.alloc(0);
      let sentAt = 0;
      const send = (): void => {
        if (performance.now() >= endsAt) {
          socket.end();
          resolve();
          return;
        }
        if (voterOffset > 0) drawVoter(bytes, voterOffset);
        sentAt = performance.now();
        socket.write(bytes);
      };
      socket.on('connect', send);
      socket.on('data', (chunk: Buffer) => {
        received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
        const end = received.indexOf(headEnd);
        if (end < 0) return;
        const head = received.toString('latin1', 0, end);
        const length = Number(/content-length: (\d+)/iu.exec(head)?.[1] ?? 0);
        if (received.length < end + headEnd.length + length) return;
        takeAnswer(head, order.keepReceipts ? received.toString('latin1', end + headEnd.length) : '', sentAt);
        received = Buffer.alloc(0);
        send();
      });
      // A server that is killed on purpose ends its connections; what it had answered counts.
      socket.on('error', () => resolve());
      socket.on('close', () => resolve());
    });
  }

  return Promise.all(Array.from({ length: order.connections }, openConnection)).then(() => {
    const seconds = (performance.now() - startedAt) / 1_000;
    const { user, system } = process.cpuUsage(startedCpu);
    const [p50 = 0, p90 = 0, p99 = 0] = [0.5, 0.9, 0.99].map((share) => latencies.quantile(share));
    const clientCpu = (user + system) / 1e6 / seconds;
    return {
      startedAt: performance.timeOrigin + startedAt,
      answered,
      refused,
      perSecond: answered / seconds,
      p50,
      p90,
      p99,
      max: latencies.max(),
      clientCpu,
      receipts,
    };
  });
}

function toRequest({ kind, path }: LoadOrder): { bytes: Buffer; voterOffset: number } {
  if (kind === 'get') {
    const head = `GET ${path} HTTP/1.1\r\nHost: bench\r\nAccept-Encoding: gzip, br\r\n\r\n`;
    return { bytes: Buffer.from(head), voterOffset: 0 };
  }
  const body = JSON.stringify({ selections: ['1'], userId: '0'.repeat(voterChars) });
  const head = `POST ${path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  return { bytes: Buffer.from(head + body), voterOffset: head.length + body.length - 2 - voterChars };
}

const randomPool = Buffer.alloc(voterChars * 512);
let randomOffset = randomPool.length;

function drawVoter(request: Buffer, offset: number): void {
  if (randomOffset === randomPool.length) {
    randomFillSync(randomPool);
    randomOffset = 0;
  }
  request.write(randomPool.toString('hex', randomOffset, randomOffset + voterChars / 2), offset, 'latin1');
  randomOffset += voterChars / 2;
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '{}') as LoadOrder))); // Our own parent wrote it.
