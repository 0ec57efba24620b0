/** Whether a Redis throws something away when it is full. */
import type { RedisClient } from '../../lib/redis-client.ts';
import { ok, warn, type Finding } from './finding.ts';

/** What it throws away is filled in again from the ledger, and until then its reads are slow. Begins with what is `shown` of it already. */
export async function describeEviction(client: RedisClient, area: string, shown: string): Promise<Finding> {
  const names = ['maxmemory', 'maxmemory-policy'] as const;
  const settings = await client.configGet([...names]).catch(() => null);
  if (settings === null) return ok(area, `${shown}; it does not tell its settings.`);
  const policy = settings['maxmemory-policy'] ?? 'noeviction';
  if (settings['maxmemory'] === '0' || policy === 'noeviction') return ok(area, `${shown}, and evicts nothing.`);
  return warn(
    area,
    `${shown}, and evicts by ${policy} when it is full. Run "redis-cli config set maxmemory-policy noeviction" there and put it into redis.conf.`,
  );
}
