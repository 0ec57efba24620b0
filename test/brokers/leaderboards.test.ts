/** The leaderboards in Redis say what the server's own say. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@redis/client';
import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { startRedis, type RedisService } from '../../scripts/services/redis.ts';
import { createMemoryBoard } from '../../server/board/memory.ts';
import { openRedisLeaderboard, type RedisLeaderboard } from '../../server/board/redis-leaderboard.ts';
import { createResults, type Results } from '../../server/board/results.ts';
import type { TallyWindow } from '../../server/board/tally-board.ts';
import { Secret } from '../../server/lib/secret.ts';
import type { Poll, PollId } from '../../server/poll/poll.ts';
import { makePoll } from '../../server/poll/test-support.ts';
import { createPoll, post } from '../support/http.ts';
import { createDatabase, startOn } from '../support/server.ts';

const windows: readonly TallyWindow[] = ['all', 'last_ten_minutes'];
const patience = { timeout: 30_000, interval: 50 };
const log = pino({ level: 'silent' });
const pollCount = 400;
/** What the server itself shows may be so old. */
const leadersKeptMs = 150;
const hangsMs = 3_000;

type Process = { readonly results: Results; open(): Promise<RedisLeaderboard> };

/** Processes that hold the same votes and the same polls, on one Redis. */
async function startSample() {
  const folder = await mkdtemp(path.join(tmpdir(), 'hustings-test-leaders-'));
  const redis = await startRedis(folder);
  onTestFinished(async () => {
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const polls = new Map(Array.from({ length: pollCount }, (_, index) => [index + 1, toPoll(index + 1)]));
  const installation = randomBytes(8).toString('hex');
  const boards = [0, 1].map(() => createMemoryBoard(() => Promise.reject(new Error('nobody reads the ledger here'))));
  const clock = { ms: Date.now() };
  let batchNo = 0;
  const processes = boards.map((board): Process => {
    const results = createResults({
      epoch: installation,
      board,
      now: () => clock.ms,
      settledThrough: () => clock.ms,
      polls: { all: () => polls.values(), byNo: (pollNo) => polls.get(pollNo) },
    });
    return {
      results,
      async open() {
        const place = { kind: 'server', url: new Secret(redis.url, redis.url) } as const;
        const opened = await openRedisLeaderboard({ place, installation, results, batchNos: board.batchNos, log });
        onTestFinished(opened.stop);
        return opened;
      },
    };
  });
  return {
    redis,
    processes: processes as [Process, Process],
    change: (pollNo: number, change: Partial<Poll>) => polls.set(pollNo, { ...toPoll(pollNo), ...change }),
    later(ms: number) {
      clock.ms += ms;
    },
    vote(pollNo: number, optionNo: number, votes: number) {
      batchNo += 1;
      const second = Math.floor(clock.ms / 1000);
      const changes = [{ pollNo, optionNo, second, votes, ballots: votes, changes: votes }];
      for (const board of boards) board.fold({ slot: 1, batchNo, changes });
    },
    read: (window: TallyWindow) => readLeaders(redis, `hustings:${installation}:leaders:${window}`),
  };
}

const toPoll = (pollNo: number): Poll => makePoll({ pollNo, id: `poll-${pollNo}` as PollId }); // Any text is an id here.

type Leaders = readonly (readonly [pollId: string, optionId: string, votes: number])[];

async function readLeaders(redis: RedisService, key: string): Promise<Leaders> {
  const client = createClient({ url: redis.url }).on('error', () => undefined);
  await client.connect();
  try {
    const found = await client.zRangeWithScores(key, 0, 99, { REV: true });
    return found.map(({ value, score }) => {
      const [, pollId = '', optionId = ''] = value.split(' ');
      return [pollId, optionId, score] as const;
    });
  } finally {
    client.destroy();
  }
}

/** Both boards, entry by entry, as far as there are votes. */
async function expectSame({ processes: [{ results }], read }: Awaited<ReturnType<typeof startSample>>): Promise<void> {
  await sleep(leadersKeptMs);
  for (const window of windows) {
    const own = results
      .leaders(window, 100)
      .filter(({ votes }) => votes > 0)
      .map(({ poll, option, votes }) => [poll.id, option.id, votes]);
    await expect.poll(() => read(window), patience).toEqual(own);
  }
}

function castSome(sample: Awaited<ReturnType<typeof startSample>>, count: number): void {
  for (let index = 0; index < count; index += 1) {
    sample.vote(1 + ((index * 7) % pollCount), 1 + (index % 3), 1 + (index % 5));
  }
}

test('votes, ties, votes taken back and votes that age are in Redis as on the leaderboard', async () => {
  const sample = await startSample();
  castSome(sample, 3_000);
  await sample.processes[0].open();
  await expectSame(sample);
  sample.vote(17, 2, 100);
  sample.vote(16, 2, 100);
  await expectSame(sample);
  sample.vote(17, 2, -100);
  sample.later(300_000);
  castSome(sample, 50);
  await expectSame(sample);
  sample.later(301_000);
  await expectSame(sample);
  expect((await sample.read('last_ten_minutes')).length).toBe(50);
  sample.later(600_000);
  await expectSame(sample);
  expect(await sample.read('last_ten_minutes')).toEqual([]);
});

test('a poll that is hidden, closed or not listed any more is not in Redis, and is again when it is shown', async () => {
  const sample = await startSample();
  for (const pollNo of [1, 2, 3, 4]) sample.vote(pollNo, 1, 10 + pollNo);
  await sample.processes[0].open();
  await expectSame(sample);
  sample.change(4, { visibility: 'manager' });
  sample.change(3, { closesAt: 1 });
  sample.change(2, { listed: false });
  await expectSame(sample);
  expect((await sample.read('all')).map(([pollId]) => pollId)).toEqual(['poll-1']);
  sample.change(4, {});
  await expectSame(sample);
  expect((await sample.read('all')).map(([pollId]) => pollId)).toEqual(['poll-4', 'poll-1']);
});

test('a Redis that is killed, emptied or hangs is filled again', async () => {
  const sample = await startSample();
  const { redis } = sample;
  castSome(sample, 1_000);
  await sample.processes[0].open();
  await expectSame(sample);
  await redis.kill();
  castSome(sample, 1_001);
  await redis.restart();
  await expectSame(sample);
  await empty(redis);
  await expectSame(sample);
  process.kill(redis.pid(), 'SIGSTOP');
  castSome(sample, 1_003);
  await sleep(hangsMs);
  process.kill(redis.pid(), 'SIGCONT');
  await expectSame(sample);
});

async function empty(redis: RedisService): Promise<void> {
  const client = createClient({ url: redis.url }).on('error', () => undefined);
  await client.connect();
  await client.flushAll();
  client.destroy();
}

test('one process writes, and another goes on when it ends', async () => {
  const sample = await startSample();
  const [first] = [await sample.processes[0].open(), await sample.processes[1].open()];
  for (let round = 0; round < 3; round += 1) {
    castSome(sample, 100 + round);
    await expectSame(sample);
  }
  await first.stop();
  castSome(sample, 500);
  await expectSame(sample);
});

test('two servers with nodes keep there what their leaderboards say', async () => {
  const { redis } = await startSample();
  const databaseUrl = await createDatabase();
  const start = () => startOn(databaseUrl, ['--preset', 'none'], { REDIS_NODES: redis.url });
  const [one, two] = [await start(), await start()];
  const polls = await Promise.all([1, 2, 3].map(() => createPoll(one.url, { electorate: 'open' })));
  for (const [index, poll] of polls.entries()) {
    for (let votes = 0; votes <= index; votes += 1) {
      await post(`${two.url}/api/v1/polls/${poll.id}/ballots`, { selections: ['1'] });
    }
  }
  const expected = polls.map(({ id }, index) => [id, '1', index + 1]).toReversed();
  const [key = ''] = await untilSome(async () => {
    const client = createClient({ url: redis.url }).on('error', () => undefined);
    await client.connect();
    const keys = await client.keys('hustings:*:leaders:all');
    client.destroy();
    return keys;
  });
  await expect.poll(() => readLeaders(redis, key), patience).toEqual(expected);
  await one.stop();
  await post(`${two.url}/api/v1/polls/${polls[0]?.id}/ballots`, { selections: ['2'] });
  await expect.poll(async () => (await readLeaders(redis, key)).length, patience).toBe(4);
});

/** The keys, as soon as there are some. */
async function untilSome(readKeys: () => Promise<string[]>): Promise<string[]> {
  await expect.poll(async () => (await readKeys()).length, patience).toBeGreaterThan(0);
  return readKeys();
}
