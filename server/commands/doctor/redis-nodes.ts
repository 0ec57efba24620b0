/** What the doctor asks each Redis that is not the broker: the nodes of the shared board, and the one for what servers share. */
import { toNodeAddress } from '../../board/node-address.ts';
import { lookAtNode } from '../../board/redis-node.ts';
import type { Config } from '../../config.ts';
import { createAbsence } from '../../lib/absence.ts';
import type { Logger } from '../../lib/logger.ts';
import { connectToRedis } from '../../lib/redis-client.ts';
import type { Secret } from '../../lib/secret.ts';
import { within } from '../../lib/within.ts';
import { describeEviction } from './eviction.ts';
import { fail, toReason, type Finding } from './finding.ts';
import { checkCluster } from './redis-cluster.ts';

const answerMsMax = 5_000;

export async function checkNodes(config: Config, log: Logger): Promise<Finding[]> {
  const { ring, redis } = config;
  const isCluster = ring !== null && ring.parts !== null;
  const nodes = isCluster ? [] : (ring?.nodes ?? []).flatMap((node) => toNodeAddress(node) ?? []);
  const names = new Set(nodes.map(({ url }) => url.reveal()));
  const shared = redis?.kind === 'server' && !names.has(redis.url.reveal()) ? [checkShared(redis.url, log)] : [];
  const cluster = isCluster ? checkCluster(ring.nodes, ring.parts, log) : [];
  return [...(await cluster), ...(await Promise.all([...nodes.map((node) => checkNode(node, log)), ...shared]))];
}

async function checkNode({ name, url }: { name: string; url: Secret }, log: Logger): Promise<Finding> {
  try {
    const { keyCount, position } = await within(answerMsMax, lookAtNode({ url }, log));
    const state = position.epoch === '' ? 'not filled yet' : `filled for ring ${position.generation}`;
    return await withPolicy({ area: 'redis node', url, shown: `${name} answers, ${state}, ${keyCount} keys` }, log);
  } catch (error) {
    return fail('redis node', `${name}: ${toReason(error)}. Start it, or take it out of REDIS_NODES.`);
  }
}

async function checkShared(url: Secret, log: Logger): Promise<Finding> {
  try {
    return await withPolicy({ area: 'redis', url, shown: `${String(url)} answers` }, log);
  } catch (error) {
    return fail('redis', `${toReason(error)}. Start it, or correct REDIS_URL.`);
  }
}

async function withPolicy(
  { area, url, shown }: { area: string; url: Secret; shown: string },
  log: Logger,
): Promise<Finding> {
  const client = await within(answerMsMax, connectToRedis(url, { absence: createAbsence(), log }));
  try {
    return await within(answerMsMax, describeEviction(client, area, shown));
  } finally {
    client.destroy();
  }
}
