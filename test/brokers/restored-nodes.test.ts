/** Redis nodes that have heard of ballots which a restored ledger has lost. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { startRedis } from '../../scripts/services/redis.ts';
import { backup } from '../../server/commands/backup.ts';
import { restore } from '../../server/commands/restore.ts';
import { parseConfig } from '../../server/config.ts';
import { createPoll, post } from '../support/http.ts';
import { connectTo, patience } from '../support/ring-board.ts';
import { createDatabase, startOn } from '../support/server.ts';

const options = { log: pino({ level: 'silent' }), onProgress: () => {}, onLost: fail };
const flags = ['--preset', 'none', '--recorder-lanes', '1'];

test('a node that holds ballots which a restored ledger has lost is filled again from that', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'hustings-restored-'));
  const redis = await startRedis(path.join(folder));
  onTestFinished(async () => {
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const env = { REDIS_NODES: redis.url, BATCH_INTERVAL_SECONDS: '1' };
  const node = await connectTo(redis.url);
  const first = await startOn(await createDatabase(), flags, env);
  const poll = await createPoll(first.url);
  const vote = async (url: string, userId: string, option: string) => {
    const answer = await post(`${url}/api/v1/polls/${poll.id}/ballots`, { selections: [option], userId });
    expect(answer.status).toBe(201);
  };
  const held = async () => Object.fromEntries(await node.hGetAll(`poll:${poll.id}`));

  await vote(first.url, 'alice', '1');
  await expect.poll(held, patience).toEqual({ 1: '1' });
  const file = path.join(folder, 'ledger.backup');
  const from = parseConfig({ argv: [], env: { DATABASE_URL: first.databaseUrl } });
  await backup(from, { file, version: '1.2.3' }, options);
  for (const voter of ['bob', 'carol', 'dave']) await vote(first.url, voter, '2');
  await expect.poll(held, patience).toEqual({ 1: '1', 2: '3' });
  await first.stop();

  const target = await createDatabase();
  await restore(parseConfig({ argv: [], env: { DATABASE_URL: target } }), file, options);
  // Without the nodes, it records as many batches as were lost: by their count alone the node would seem to hold them.
  const second = await startOn(target, flags);
  for (const voter of ['bob', 'carol', 'dave']) await vote(second.url, voter, '1');
  await second.stop();
  const third = await startOn(target, flags, env);
  await expect.poll(held, patience).toEqual({ 1: '4' });
  await vote(third.url, 'erin', '2');
  await expect.poll(held, patience).toEqual({ 1: '4', 2: '1' });
});

function fail(error: Error): void {
  throw error;
}
