/** Durable single votes over HTTP beside bare servers (V1, V2), and the gates without which the figure does not count. */
import { rm, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import type { BenchOptions, Question } from './question.ts';
import { measurePairs, type Figure, type Slice } from './pairs.ts';
import { clientCpuMax, runLoad, startProgram, startServer, type Program } from './programs.ts';

export const votes: Question = async (options) => {
  const dataFolder = await mkdtemp(path.join(tmpdir(), 'hustings-bench-'));
  const server = await startServer(dataFolder);
  const echo = await startProgram('bench/echo-process.ts', [], /listening on (\d+)/u);
  const fastify = await startProgram('bench/fastify-echo-process.ts', [], /listening on (\d+)/u);
  try {
    const poll = await createPoll(server.port);
    const vote = (): Promise<Slice> => slice(server.port, `/api/v1/polls/${poll}/ballots`, options);
    await vote();
    const figures = [
      await measurePairs({
        question: 'V1',
        what: 'durable single votes/s ÷ bare node:http JSON echo',
        target: 0.8,
        pairs: options.pairs,
        a: vote,
        b: () => slice(echo.port, '/echo', options),
      }),
      await measureProcesses(echo.port, options),
      await measurePairs({
        question: 'V2',
        what: 'vote route ÷ bare Fastify JSON echo',
        target: 0.9,
        pairs: options.pairs,
        a: vote,
        b: () => slice(fastify.port, '/echo', options),
      }),
    ];
    const memoryMb = await residentMb(server);
    return [...figures, await checkGates(server, dataFolder, poll, options, memoryMb)];
  } finally {
    await Promise.all([server.stop('SIGTERM'), echo.stop(), fastify.stop()]);
    await rm(dataFolder, { recursive: true, force: true });
  }
};

/** The same over several processes on one port; all of them, the database and the clients share the machine's cores. */
async function measureProcesses(echoPort: number, options: BenchOptions): Promise<Figure> {
  const dataFolder = await mkdtemp(path.join(tmpdir(), 'hustings-bench-'));
  const server = await startServer(dataFolder, '--processes', '2');
  try {
    const to = `/api/v1/polls/${await createPoll(server.port)}/ballots`;
    const vote = (): Promise<Slice> => slice(server.port, to, options);
    await vote();
    return await measurePairs({
      question: 'V1 ×2',
      what: 'the same with --processes 2 ÷ bare node:http JSON echo in one process',
      target: null,
      pairs: options.pairs,
      a: vote,
      b: () => slice(echoPort, '/echo', options),
    });
  } finally {
    await server.stop('SIGTERM');
    await rm(dataFolder, { recursive: true, force: true });
  }
}

async function slice(port: number, to: string, { connections, seconds }: BenchOptions): Promise<Slice> {
  const result = await runLoad({ port, path: to, connections, seconds, kind: 'vote', keepReceipts: false });
  if (result.refused > 0)
    throw new Error(`${result.refused} requests to ${to} were refused: the figure does not count.`);
  if (result.clientCpu > clientCpuMax)
    console.log(`  the client used ${result.clientCpu.toFixed(2)} of a core at ${to}`);
  const note = `p50 ${result.p50.toFixed(2)} ms, p99 ${result.p99.toFixed(2)} ms, max ${result.max.toFixed(1)} ms`;
  return { perSecond: result.perSecond, note };
}

/** Kills the server in the middle of a slice and starts it again: what was acknowledged is there, once, and tallied. */
async function checkGates(
  server: Program,
  dataFolder: string,
  poll: string,
  options: BenchOptions,
  memoryMb: number,
): Promise<Figure> {
  const seconds = 4;
  const load = runLoad({
    port: server.port,
    path: `/api/v1/polls/${poll}/ballots`,
    connections: options.connections,
    seconds,
    kind: 'vote',
    keepReceipts: true,
  });
  await new Promise((resolve) => setTimeout(resolve, (seconds * 1_000) / 2));
  await server.stop('SIGKILL');
  const { receipts } = await load;
  const again = await startServer(dataFolder);
  const client = new pg.Client({ host: path.join(dataFolder, 'postgres'), user: 'hustings', database: 'hustings' });
  await client.connect();
  try {
    const { rows } = await client.query<{ found: string; rows: string; voters: string; tallied: string }>(
      `select
        (select count(*) from ballots where ballot_id = any ($1)) as found,
        (select count(*) from ballots) as rows,
        (select count(distinct (poll_no, voter_key)) from ballots) as voters,
        (select sum(votes) from tallies) as tallied`,
      [receipts],
    );
    const [row] = rows;
    const missing = receipts.length - Number(row?.found);
    if (missing !== 0 || row?.rows !== row?.voters || row?.rows !== row?.tallied || receipts.length === 0) {
      throw new Error(
        `A gate failed after the kill: ${missing} of ${receipts.length} missing, ${JSON.stringify(row)}.`,
      );
    }
    const note = `killed under load: ${receipts.length} receipts, none missing; ${row?.rows} rows = voters = tally; ${memoryMb.toFixed(0)} MB resident`;
    return {
      question: 'gates',
      what: 'after kill -9',
      a: receipts.length,
      b: receipts.length,
      ratio: 1,
      ratioMin: 1,
      ratioMax: 1,
      target: 1,
      note,
    };
  } finally {
    await client.end();
    await again.stop();
  }
}

export async function createPoll(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/polls`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ question: 'Bench?', options: ['a', 'b', 'c', 'd'], electorate: 'declared' }),
  });
  return ((await response.json()) as { id: string }).id; // The server's own answer to a poll that it takes.
}

async function residentMb({ child }: Program): Promise<number> {
  const { readFile } = await import('node:fs/promises');
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+)/u.exec(status)?.[1] ?? Number.NaN) / 1_024;
}
