/** Sending live frames to many (V7), what an idle subscriber costs (V15), and how long a vote takes to the screen. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FanoutOrder, FanoutResult } from './fanout-client-process.ts';
import { measurePairs, type Figure, type Slice } from './pairs.ts';
import { startProgram, startServer } from './programs.ts';
import type { Question } from './question.ts';

const socketCount = 500;
/** One client alone would be the bottleneck. */
const clientCount = 2;
const idleCount = 5_000;
/** What V8 sets aside for new objects grows with the load of the handshakes, to 128 MB, and is no part of what a subscriber needs. */
const smallNursery = { NODE_OPTIONS: '--max-semi-space-size=1' };
const screenSockets = 1_000;
const votesPerSecond = 1_000;
/** Heard by the hub alone, which has one poll here. */
const subscribe = JSON.stringify({ type: 'subscribe', poll: 'lunch' });
const anyPoll = { path: '/api/v1/live', subscribe, votesPerSecond: 0, pollId: '' };

export const fanout: Question = async ({ pairs, seconds }) => {
  const frames = (way: string) => () => measureFrames(way, seconds);
  const memory = (way: string) => () => measureMemory(way);
  return [
    await measurePairs({
      question: 'V7',
      what: `frames/s to ${socketCount} sockets ÷ plain net write of the same bytes`,
      target: 0.9,
      pairs,
      a: frames('hub'),
      b: frames('net'),
    }),
    await measurePairs({
      question: 'V7',
      what: `frames/s to ${socketCount} sockets ÷ a bare ws loop that sends one buffer`,
      target: null,
      pairs,
      a: frames('hub'),
      b: frames('ws'),
    }),
    await measurePairs({
      question: 'V15',
      what: `bytes of memory per subscriber of a poll in which nothing happens ÷ bare ws socket, ${idleCount} of each`,
      target: 1.15,
      smallIsGood: true,
      pairs: Math.min(3, pairs),
      a: memory('hub'),
      b: memory('ws'),
    }),
    ...(await measureScreen(seconds)),
  ];
};

async function measureFrames(way: string, seconds: number): Promise<Slice> {
  const server = await startProgram('bench/fanout-process.ts', [way], /listening on (\d+)/u);
  try {
    const order = { ...anyPoll, port: server.port, sockets: socketCount / clientCount, seconds };
    const clients = await Promise.all(Array.from({ length: clientCount }, () => runClient(order)));
    const cpu = Math.max(...clients.map(({ result }) => result.clientCpu));
    return {
      perSecond: clients.reduce((sum, { result }) => sum + result.perSecond, 0),
      note: `${clientCount} clients, each used at most ${(cpu * 100).toFixed(0)} % of a core`,
    };
  } finally {
    await server.stop('SIGKILL');
  }
}

async function measureMemory(way: string): Promise<Slice> {
  const server = await startProgram('bench/fanout-process.ts', [way, 'idle'], /listening on (\d+)/u, smallNursery);
  const rss = async (): Promise<number> => Number(await (await fetch(`http://127.0.0.1:${server.port}/rss`)).text());
  try {
    await rss();
    const before = await rss();
    let after = before;
    await runClient({ ...anyPoll, port: server.port, sockets: idleCount, seconds: 1 }, async () => {
      after = await rss();
    });
    return { perSecond: (after - before) / idleCount };
  } finally {
    await server.stop('SIGKILL');
  }
}

/** A whole server: votes by the clock, and many who look on. */
async function measureScreen(seconds: number): Promise<Figure[]> {
  const dataFolder = await mkdtemp(path.join(tmpdir(), 'hustings-bench-'));
  const server = await startServer(dataFolder);
  try {
    const poll = await makePoll(server.port);
    const order = {
      ...anyPoll,
      port: server.port,
      sockets: screenSockets,
      pollId: poll,
      subscribe: JSON.stringify({ type: 'subscribe', poll }),
    };
    const { result } = await runClient({ ...order, seconds, votesPerSecond });
    let idleShare = 0;
    // A poll in which nobody has voted: in the other one votes still age.
    const quiet = await makePoll(server.port);
    await runClient({ ...order, subscribe: JSON.stringify({ type: 'subscribe', poll: quiet }), seconds }, async () => {
      const [cpu, at] = [cpuSeconds(server.child.pid), performance.now()];
      await new Promise((resolve) => setTimeout(resolve, seconds * 700));
      idleShare = (cpuSeconds(server.child.pid) - cpu) / ((performance.now() - at) / 1_000);
    });
    const plain = { target: null, ratio: 1, ratioMin: 1, ratioMax: 1 };
    return [
      {
        ...plain,
        question: 'screen',
        what: `ms from a vote to the frame that shows it, p50 ÷ p99, at ${votesPerSecond} votes/s with ${screenSockets} subscribers`,
        a: result.p50,
        b: result.p99,
        ratio: result.p50 / result.p99,
        note: `p50 ${result.p50.toFixed(1)} ms, p99 ${result.p99.toFixed(1)} ms, max ${result.max.toFixed(1)} ms; ${Math.round(result.perSecond)} frames/s`,
      },
      {
        ...plain,
        question: 'idle',
        what: `share of a core that ${screenSockets} subscribers of one poll cost while nobody votes`,
        a: idleShare * 100,
        b: 100,
        ratio: idleShare,
        note: `${(idleShare * 100).toFixed(2)} % of a core, the whole server`,
      },
    ];
  } finally {
    await server.stop();
    await rm(dataFolder, { recursive: true, force: true });
  }
}

async function makePoll(port: number): Promise<string> {
  const body = { question: 'Fan-out?', options: ['1', '2', '3', '4', '5'], electorate: 'open' };
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/polls`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return ((await response.json()) as { id: string }).id; // Our own server.
}

const ticksPerSecond = 100;

/** What the process has used so far (proc(5), fields utime and stime). */
function cpuSeconds(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /u, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Runs the client to its end; `onReady` is called when all its sockets are open. */
async function runClient(
  order: FanoutOrder,
  onReady: () => Promise<void> = () => Promise.resolve(),
): Promise<{ result: FanoutResult }> {
  const child = spawn(
    process.execPath,
    [path.join(import.meta.dirname, 'fanout-client-process.ts'), JSON.stringify(order)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let text = '';
  let told: Promise<void> | null = null;
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    text += String(chunk);
    if (told === null && text.includes('ready')) told = onReady();
  }
  await told;
  const line = text.trim().split('\n').at(-1) ?? '';
  return { result: JSON.parse(line) as FanoutResult }; // Our own child wrote it.
}
