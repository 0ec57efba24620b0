/** Votes that make their polls, where a broker stands between accepting and counting, and where Redis nodes show them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createClient } from '@redis/client';
import { expect, onTestFinished, test } from 'vitest';
import { startRedis, type RedisService } from '../../scripts/services/redis.ts';
import { accepted, expectVotes, flagsOfLive, readResults, vote } from '../support/live-votes.ts';
import { makeQueueVariables } from '../support/queue.ts';
import { createDatabase, startOn } from '../support/server.ts';

const wait = { timeout: 30_000, interval: 50 };

test.for(['redis', 'rabbitmq', 'kafka'])(
  'through %s the first votes for new polls and options are accepted at once, and all of them count',
  async (queue) => {
    const database = await createDatabase();
    const env = makeQueueVariables();
    const startServer = (records: boolean) =>
      startOn(database, [...flagsOfLive, '--queue', queue, `--worker=${records}`], env);
    const servers = [await startServer(false), await startServer(true)];
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        servers.map((server) => vote(server, `poll ${index % 5}`, `option ${index % 20}`)),
      ).flat(),
    );
    expect(answers.map(({ status, json }) => [status, json])).toEqual(answers.map(() => [200, accepted]));
    for (const server of servers) {
      for (const poll of [0, 1, 2, 3, 4]) {
        const options = [0, 5, 10, 15].map((step): [string, number] => [`option ${poll + step}`, 20]);
        await expectVotes(server, `poll ${poll}`, Object.fromEntries(options));
      }
    }
    expect(await servers[0]?.query('select from ballots')).toHaveLength(400);
    expect(await servers[0]?.query('select from ballot_refusals')).toHaveLength(0);
  },
);

/** Two Redis servers that nobody else uses: the ring takes whatever is in them for its own. */
async function startNodes(): Promise<readonly [RedisService, RedisService]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'hustings-test-live-'));
  const nodes = [await startRedis(path.join(folder, '1')), await startRedis(path.join(folder, '2'))] as const;
  onTestFinished(async () => {
    for (const node of nodes) await node.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return nodes;
}

/** The hashes of polls on a node, by their keys. */
async function readHashes({ url }: RedisService): Promise<Record<string, Record<string, string>>> {
  const client = await createClient({ url }).connect();
  try {
    const keys = (await client.keys('poll:*')).sort();
    const entries = await Promise.all(keys.map(async (key) => [key, { ...(await client.hGetAll(key)) }] as const));
    return Object.fromEntries(entries);
  } finally {
    client.destroy();
  }
}

test('votes reach the node of their poll under the id that they named, and the results say where they come from', async () => {
  const nodes = await startNodes();
  const env = {
    REDIS_NODES: nodes.map(({ url }, index) => `${url}?as=${7_000 + index}`).join(','),
    BATCH_INTERVAL_SECONDS: '1',
  };
  const database = await createDatabase();
  const servers = [await startOn(database, flagsOfLive, env), await startOn(database, flagsOfLive, env)];
  const ids = ['100', '101', 'a poll', 'ü/%20'];
  await Promise.all(
    ids.flatMap((id) => servers.flatMap((server) => ['A', 'B', 'A'].map((option) => vote(server, id, option)))),
  );
  const expected = Object.fromEntries(ids.map((id) => [`poll:${id}`, { A: '4', B: '2' }]));
  const readAll = async () => Object.assign({}, ...(await Promise.all(nodes.map(readHashes)))) as object; // No key is on both.
  await expect.poll(readAll, wait).toEqual(expected);
  for (const [index, node] of nodes.entries()) {
    for (const key of Object.keys(await readHashes(node))) {
      const id = key.slice('poll:'.length);
      for (const server of servers) {
        await expect
          .poll(() => readResults(server, id), wait)
          .toEqual({ poll_id: id, results: { A: 4, B: 2 }, served_via: `redis_${7_000 + index}` });
        expect(await readResults(server, id)).toMatchObject({ results: { A: 4, B: 2 }, served_via: 'app_cache' });
      }
    }
  }
});
