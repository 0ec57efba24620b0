/**
 * Many sockets that read, in a process of its own. Counts the WebSocket messages that come, by their heads alone, so that it costs less than the server
 * that it measures. Takes its orders as JSON in the first argument, says `ready` when all are connected, and prints one line of JSON at the end.
 */
import { connect, type Socket } from 'node:net';
import { createHistogram } from './statistics.ts';

export type FanoutOrder = {
  readonly port: number;
  readonly path: string;
  readonly sockets: number;
  readonly seconds: number;
  /** Sent as the first message of each socket; '' where the server needs none. */
  readonly subscribe: string;
  /** Votes a second that this client casts on the poll meanwhile; 0 for none. */
  readonly votesPerSecond: number;
  readonly pollId: string;
};

export type FanoutResult = {
  readonly messages: number;
  readonly perSecond: number;
  /** From casting a vote to the frame that holds it, at one of the sockets: milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly clientCpu: number;
};

const order = JSON.parse(process.argv[2] ?? '{}') as FanoutOrder; // Our own parent wrote it.
const screen = createHistogram();
/** Votes whose frame has not come yet: when each was sent, and the version that holds it. */
const pending: { readonly version: number; readonly sentAt: number }[] = [];
let messages = 0;
let counting = false;

const sockets = await Promise.all(Array.from({ length: order.sockets }, (_, index) => open(index === 0)));
console.log('ready');
const cpu = process.cpuUsage();
const startedAt = performance.now();
counting = true;
await castVotes();
const seconds = (performance.now() - startedAt) / 1_000;
counting = false;
const { user, system } = process.cpuUsage(cpu);
const result: FanoutResult = {
  messages,
  perSecond: messages / seconds,
  p50: screen.quantile(0.5),
  p99: screen.quantile(0.99),
  max: screen.max(),
  clientCpu: (user + system) / 1_000_000 / seconds,
};
console.log(JSON.stringify(result));
for (const socket of sockets) socket.destroy();

function open(watching: boolean): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(order.port, '127.0.0.1').setNoDelay(true);
    let rest: Buffer = Buffer.alloc(0);
    let open = false;
    socket.once('error', reject);
    socket.write(
      `GET ${order.path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n`,
    );
    socket.on('data', (chunk) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      if (!open) {
        const end = rest.indexOf('\r\n\r\n');
        if (end < 0) return;
        open = true;
        rest = rest.subarray(end + 4);
        if (order.subscribe !== '') socket.write(toMasked(order.subscribe));
        resolve(socket);
      }
      rest = rest.subarray(takeMessages(rest, watching));
    });
  });
}

/** Counts the whole messages, and answers how many bytes they took. */
function takeMessages(bytes: Buffer, watching: boolean): number {
  let offset = 0;
  while (bytes.length - offset >= 4) {
    const short = bytes[offset + 1] ?? 0;
    const [head, length] = short < 126 ? [2, short] : [4, bytes.readUInt16BE(offset + 2)];
    if (bytes.length - offset < head + length) break;
    if (counting) messages += 1;
    if (watching) watch(bytes.toString('utf8', offset + head, offset + head + length));
    offset += head + length;
  }
  return offset;
}

function watch(text: string): void {
  if (!text.startsWith('{"type":"tally"')) return;
  const { version } = JSON.parse(text) as { version: number };
  const now = performance.now();
  while ((pending[0]?.version ?? Number.POSITIVE_INFINITY) <= version)
    screen.add(now - (pending.shift()?.sentAt ?? now));
}

/** Casts by the clock, whatever the answers do, and waits until the time is over. */
async function castVotes(): Promise<void> {
  const endsAt = startedAt + order.seconds * 1_000;
  let sent = 0;
  while (performance.now() < endsAt) {
    const due = ((performance.now() - startedAt) / 1_000) * order.votesPerSecond;
    for (; sent < due; sent += 1) void cast();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function cast(): Promise<void> {
  const sentAt = performance.now();
  const response = await fetch(`http://127.0.0.1:${order.port}/api/v1/polls/${order.pollId}/ballots`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"selections":["1"]}',
  });
  const { version } = (await response.json()) as { version: number };
  pending.push({ version, sentAt });
}

/** A small text message as clients must send it (RFC 6455, section 5.3), with a mask of zeros. */
function toMasked(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
}
