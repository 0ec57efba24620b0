/**
 * Results from Redis nodes: reads through the ring, through the cache and from memory, beside HGETALL of the same hashes by the same client; over HTTP
 * the same three; what a flush costs; and how long servers take to show each other's votes.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@redis/client';
import pino from 'pino';
import { startServices } from '../scripts/services/start-services.ts';
import { startRedisRing } from '../server/board/redis-ring.ts';
import { withResultCache } from '../server/board/result-cache.ts';
import { boardKeyOf, createUnsharedBoard, type SharedBoard } from '../server/board/shared-board.ts';
import type { Poll } from '../server/poll/poll.ts';
import { createBoardHouse, type BoardHouse, type BoardProcess } from '../test/support/board-house.ts';
import { measurePairs, toFigure, type Figure, type Slice } from './pairs.ts';
import { runLoad, startProgram, type Program } from './programs.ts';
import type { BenchOptions, Question } from './question.ts';
import { createBenchDatabase } from './bench-database.ts';
import { measureLag } from './ring-lag.ts';

const pollCount = 1_000;
const optionIds = ['A', 'B', 'C', 'D', 'E'];
const flushVotes = 100_000;
/** As many as the recorder counts in one transaction. */
const batchVotes = 4_000;
const keptMs = 5_000;
const nodeCount = 2;
/** Of a whole pipeline on a busy machine. */
const answerMsMax = 60_000;
const attemptsMax = 10;
/** Longer than a node that did not answer is left alone. */
const pauseMs = 2_000;
const readsPerTurn = 1_000;
/** What each poll begins with: 1,000 for its first option, 2,000 for the second and so on. */
const filledVotes = 15_000;
const lookMs = 50;
const log = pino({ level: 'silent' });

export const ring: Question = async (options) => {
  const { urls, stop } = await startServices(['postgres', 'redis']);
  try {
    const nodes = urls.redisUrls.slice(0, nodeCount);
    return [
      ...(await measureReads(nodes, options)),
      await measureFlush(nodes, options),
      ...(await measureHttp(urls.postgresUrl, nodes, options)),
      ...(await measureLag(urls.postgresUrl, nodes, options)),
    ];
  } finally {
    await stop();
  }
};

type Filled = {
  readonly house: BoardHouse;
  readonly process: BoardProcess;
  readonly nodes: SharedBoard;
  readonly polls: readonly Poll[];
};

/** A process whose votes are all on the nodes. */
async function startFilled(urls: readonly string[]): Promise<Filled> {
  const house = createBoardHouse();
  const process = await house.startProcess();
  const polls = Array.from({ length: pollCount }, () => house.addPoll({ optionIds }));
  for (const poll of polls) {
    house.count([process], optionIds.map((_, index) => [poll, index + 1, 1_000 * (index + 1)] as const)); // prettier-ignore
  }
  const stored = { generation: 1, nodes: urls, virtualNodes: 100, label: '{node}#{i}', parts: null };
  const nodes = startRedisRing(
    {
      epoch: house.epoch,
      board: process.board,
      now: Date.now,
      peekPoll: house.findPoll,
      findPoll: (pollNo) => Promise.resolve(house.findPoll(pollNo) ?? null),
      readNames: house.readNames,
      readRing: () => Promise.resolve(stored),
      log,
    },
    { ring: stored, flushMs: 3_600_000 },
  );
  const isFromNode = async (poll: Poll): Promise<boolean> => (await nodes.read(poll)).servedVia !== 'in_memory';
  while (!(await Promise.all(polls.map(isFromNode))).every(Boolean)) {
    await nodes.flushNow();
    await sleep(lookMs);
  }
  return { house, process, nodes, polls };
}

/** Reads of one poll after the other, as many under way as there are connections elsewhere. */
async function readAll(
  read: (index: number) => Promise<unknown>,
  { seconds, connections }: BenchOptions,
): Promise<Slice> {
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1_000;
  let count = 0;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() < endsAt) {
        await read(count % pollCount);
        count += 1;
        // What answers from memory would leave the connections of the next slice without a turn.
        if (count % readsPerTurn === 0) await nextTurn();
      }
    }),
  );
  return { perSecond: count / ((performance.now() - startedAt) / 1_000) };
}

async function measureReads(urls: readonly string[], options: BenchOptions): Promise<Figure[]> {
  const { nodes, polls, process } = await startFilled(urls);
  const [url = ''] = urls;
  const bare = createClient({ url, RESP: 2, commandOptions: { timeout: answerMsMax } });
  await bare.connect();
  const keys = await bare.keys('poll:*');
  const hgetall = () => readAll((index) => bare.hGetAll(keys[index % keys.length] ?? ''), options);
  /** On a busy machine a node does not always answer in its time, and then memory does for a second: such a slice is taken again. */
  const through =
    (board: SharedBoard, via: string, warm = () => Promise.resolve<unknown>(null)) =>
    async (): Promise<Slice> => {
      for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
        await warm();
        let isPure = true;
        const slice = await readAll(async (index) => {
          const { servedVia } = await board.read(pollAt(polls, index));
          isPure &&= servedVia.startsWith(via);
        }, options);
        if (isPure)
          return { ...slice, note: `the last slice was taken ${attempt} times until all was served via ${via}` };
        await sleep(pauseMs);
      }
      throw new Error(`No slice of ${attemptsMax} was served via ${via} alone: the figure does not count.`);
    };
  const cached = withResultCache(nodes, { keptMs });
  const own = createUnsharedBoard(process.board, Date.now);
  // So every read of the slices finds an answer that is kept.
  const warm = () => Promise.all(polls.map((poll) => cached.read(poll)));
  const plan = { question: 'ring', target: null, pairs: options.pairs };
  try {
    return [
      await measurePairs({ ...plan, what: 'results/s through the ring ÷ HGETALL of the same hashes by the same client, one connection', a: through(nodes, 'redis_'), b: hgetall }),
      await measurePairs({ ...plan, what: 'results/s through the cache ÷ HGETALL', a: through(cached, 'app_cache', warm), b: hgetall }),
      await measurePairs({ ...plan, what: 'results/s from memory ÷ HGETALL', a: through(own, 'in_memory'), b: hgetall }),
    ]; // prettier-ignore
  } finally {
    bare.destroy();
    await nodes.close();
  }
}

function pollAt(polls: readonly Poll[], index: number): Poll {
  const poll = polls[index];
  if (poll === undefined) throw new Error(`There is no poll ${index}.`);
  return poll;
}

/** The time of one flush of 100,000 votes, beside as many HINCRBY in a pipeline. */
async function measureFlush(urls: readonly string[], { pairs }: BenchOptions): Promise<Figure> {
  const { house, process, nodes, polls } = await startFilled(urls);
  const [url = ''] = urls;
  const bare = createClient({ url, RESP: 2, commandOptions: { timeout: answerMsMax } });
  await bare.connect();
  const flushMs: number[] = [];
  const singleMs: number[] = [];
  try {
    for (let round = 0; round < pairs; round += 1) {
      const votes = Array.from({ length: flushVotes }, (_, index) => [pollAt(polls, (index * 7 + round) % pollCount), 1 + (index % optionIds.length), 1] as const); // prettier-ignore
      for (let at = 0; at < votes.length; at += batchVotes)
        house.count([process], addUp(votes.slice(at, at + batchVotes)));
      const before = performance.now();
      await nodes.flushNow();
      flushMs.push(performance.now() - before);
      const since = performance.now();
      await Promise.all(
        votes.map(([poll, optionNo]) => bare.hIncrBy(`bench:${boardKeyOf(poll)}`, optionIds[optionNo - 1] ?? '', 1)),
      );
      singleMs.push(performance.now() - since);
    }
    await checkSums(urls, pollCount * filledVotes + pairs * flushVotes);
  } finally {
    bare.destroy();
    await nodes.close();
  }
  const plan = { question: 'flush', what: `ms for a flush of ${flushVotes} votes to ${nodeCount} nodes ÷ as many HINCRBY in a pipeline`, target: null, smallIsGood: true }; // prettier-ignore
  return toFigure(
    plan,
    flushMs,
    singleMs,
    `over ${pollCount} polls with ${optionIds.length} options, which are so many sums`,
  );
}

/** A figure counts only if everything is on the nodes, once. */
async function checkSums(urls: readonly string[], expected: number): Promise<void> {
  let sum = 0;
  for (const url of urls) {
    const client = createClient({ url, RESP: 2, commandOptions: { timeout: answerMsMax } });
    await client.connect();
    for (const key of await client.keys('poll:*')) {
      for (const votes of await client.hVals(key)) sum += Number(votes);
    }
    client.destroy();
  }
  if (sum !== expected) throw new Error(`The nodes hold ${sum} votes, not ${expected}: the figure does not count.`);
}

type Vote = readonly [poll: Poll, optionNo: number, votes: number];

/** One sum for each poll and option, as the recorder does it. */
function addUp(votes: readonly Vote[]): Vote[] {
  const sums = new Map<string, [Poll, number, number]>();
  for (const [poll, optionNo, count] of votes) {
    const key = `${poll.pollNo} ${optionNo}`;
    const sum = sums.get(key);
    if (sum === undefined) sums.set(key, [poll, optionNo, count]);
    else sum[2] += count;
  }
  return [...sums.values()];
}

/** The contract's own route, by clients that wait for each answer. */
async function measureHttp(postgresUrl: string, nodes: readonly string[], options: BenchOptions): Promise<Figure[]> {
  const { connections, seconds, pairs } = options;
  const start = (variables: Record<string, string>) => startLive(postgresUrl, variables);
  const redis = { REDIS_NODES: nodes.join(',') };
  // One after the other has the nodes: they belong to one ledger.
  const slice = (server: Program) => () =>
    runLoad({
      port: server.port,
      path: '/api/v1/results/bench',
      connections,
      seconds,
      kind: 'get',
      keepReceipts: false,
    });
  const memory = await start({});
  const figures: Figure[] = [];
  try {
    for (const [name, seconds, via] of [
      ['the ring', '0', 'redis_'],
      ['the cache', '5', 'app_cache'],
    ] as const) {
      // prettier-ignore
      const server = await start({ ...redis, HUSTINGS_RESULT_CACHE_SECONDS: seconds });
      try {
        await untilServedVia(server.port, via);
        figures.push(await measurePairs({ question: 'http', what: `results/s over HTTP through ${name} ÷ from memory`, target: null, pairs, a: slice(server), b: slice(memory) })); // prettier-ignore
      } finally {
        await server.stop();
      }
    }
  } finally {
    await memory.stop();
  }
  return figures;
}

async function startLive(postgresUrl: string, variables: Record<string, string>): Promise<Program> {
  const flags = ['serve', '--preset', 'live', '--port', '0', '--log-level', 'error'];
  const env = { ...variables, DATABASE_URL: await createBenchDatabase(postgresUrl) };
  const server = await startProgram('server/hustings.mjs', flags, /Open\s+http:\/\/localhost:(\d+)/u, env);
  for (const option of optionIds) {
    const body = JSON.stringify({ option_id: option });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`http://127.0.0.1:${server.port}/api/v1/vote/bench`, { method: 'POST', headers, body });
    if (answer.status !== 200) throw new Error(`A vote was refused with ${answer.status}.`);
  }
  return server;
}

async function untilServedVia(port: number, via: string): Promise<void> {
  let served = '';
  while (!served.startsWith(via)) {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/results/bench`);
    served = ((await answer.json()) as { served_via: string }).served_via; // Our own server.
    await sleep(lookMs);
  }
}
