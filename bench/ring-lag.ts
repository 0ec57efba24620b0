/** How long it takes until a vote at one server shows at others on the same ledger, over each bus. */
import { WebSocket } from 'ws';
import { createBenchDatabase } from './bench-database.ts';
import type { Figure } from './pairs.ts';
import { startProgram, type Program } from './programs.ts';
import type { BenchOptions } from './question.ts';
import { createHistogram, type Histogram } from './statistics.ts';

const serverCount = 3;
const votesPerSecond = 500;
const tickMs = 10;
/** What the others show may be so old. */
const lagMsMax = 500;

export async function measureLag(
  postgresUrl: string,
  nodes: readonly string[],
  options: BenchOptions,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const bus of ['postgres', 'redis']) {
    const variables = { DATABASE_URL: await createBenchDatabase(postgresUrl), REDIS_URL: nodes[0] ?? '' };
    const flags = ['serve', '--preset', 'none', '--port', '0', '--log-level', 'error', '--bus', bus];
    const start = () => startProgram('server/hustings.mjs', flags, /Open\s+http:\/\/localhost:(\d+)/u, variables);
    const servers: Program[] = [];
    try {
      // One after the other, because the first makes the tables.
      for (let index = 0; index < serverCount; index += 1) servers.push(await start());
      figures.push(toFigure(bus, await measureOn(servers, options)));
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
    }
  }
  return figures;
}

function toFigure(bus: string, { elsewhere, here }: Lags): Figure {
  const p99 = elsewhere.quantile(0.99);
  const text = (lags: Histogram): string =>
    `p50 ${lags.quantile(0.5).toFixed(0)} ms, p99 ${lags.quantile(0.99).toFixed(0)} ms, max ${lags.max().toFixed(0)} ms`;
  return {
    question: 'lag',
    what: `ms from a vote to the frame that shows it at another of ${serverCount} servers, p99, over ${bus} ÷ ${lagMsMax}`,
    a: p99,
    b: lagMsMax,
    ratio: p99 / lagMsMax,
    ratioMin: p99 / lagMsMax,
    ratioMax: p99 / lagMsMax,
    target: 1,
    smallIsGood: true,
    note: `elsewhere ${text(elsewhere)}; at the server that took it ${text(here)}; ${elsewhere.count()} votes at ${votesPerSecond}/s, ten frames a second`,
  };
}

type Lags = { readonly here: Histogram; readonly elsewhere: Histogram };

async function measureOn(servers: readonly Program[], { seconds, pairs }: BenchOptions): Promise<Lags> {
  const [first] = servers;
  const port = first?.port ?? 0;
  const pollId = await createOpenPoll(port);
  const lags = { here: createHistogram(), elsewhere: createHistogram() };
  const watches = await Promise.all(
    servers.map((server, index) => watchPoll(server.port, pollId, index === 0 ? lags.here : lags.elsewhere)),
  );
  await castAtRate(port, pollId, seconds * pairs, (version, sentAt) => {
    for (const { expect } of watches) expect(version, sentAt);
  });
  for (const { ended } of watches) await ended();
  return lags;
}

/** A WebSocket that notes how old a vote was when the first frame came that holds it. */
async function watchPoll(port: number, poll: string, lags: Histogram) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/v1/live`);
  const pending: { readonly version: number; readonly sentAt: number }[] = [];
  /** When each version was first seen or passed. A frame may come before the answer to its votes. */
  const seen: { readonly version: number; readonly at: number }[] = [];
  socket.on('message', (data) => {
    const { version } = JSON.parse((data as Buffer).toString()) as { version?: number }; // Our own server, in one Buffer each.
    if (version === undefined) return;
    const at = performance.now();
    seen.push({ version, at });
    for (let index = pending.length - 1; index >= 0; index -= 1) {
      const vote = pending[index];
      if (vote === undefined || vote.version > version) continue;
      lags.add(at - vote.sentAt);
      pending.splice(index, 1);
    }
  });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  socket.send(JSON.stringify({ type: 'subscribe', poll }));
  return {
    expect(version: number, sentAt: number): void {
      const shown = seen.find((frame) => frame.version >= version);
      if (shown === undefined) pending.push({ version, sentAt });
      else lags.add(shown.at - sentAt);
    },
    async ended(): Promise<void> {
      while (pending.length > 0) await new Promise((resolve) => setTimeout(resolve, tickMs));
      socket.terminate();
    },
  };
}

async function castAtRate(
  port: number,
  pollId: string,
  seconds: number,
  onCounted: (version: number, sentAt: number) => void,
): Promise<void> {
  const startedAt = performance.now();
  const votes: Promise<void>[] = [];
  const cast = async (): Promise<void> => {
    const sentAt = performance.now();
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/polls/${pollId}/ballots`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ selections: ['1'] }),
    });
    const { version } = (await response.json()) as { version?: number }; // Our own server.
    if (version === undefined) throw new Error(`A vote was answered with ${response.status}.`);
    onCounted(version, sentAt);
  };
  for (let due = 0; due < seconds * votesPerSecond;) {
    due = ((performance.now() - startedAt) / 1_000) * votesPerSecond;
    while (votes.length < Math.min(due, seconds * votesPerSecond)) votes.push(cast());
    await new Promise((resolve) => setTimeout(resolve, tickMs));
  }
  await Promise.all(votes);
}

async function createOpenPoll(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/polls`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ question: 'Lag?', options: ['1', '2'], electorate: 'open' }),
  });
  return ((await response.json()) as { id: string }).id; // Our own server.
}
