/** A way to Redis for what is about one key at a time, wherever that is: on one server, or in a cluster. */
import { createAbsence } from './absence.ts';
import type { Logger } from './logger.ts';
import { createRedisClient, type RedisClient } from './redis-client.ts';
import { openRedisCluster } from './redis-cluster.ts';
import type { Secret } from './secret.ts';

export type RedisPlace =
  | { readonly kind: 'server'; readonly url: Secret }
  /** Some of its servers. */
  | { readonly kind: 'cluster'; readonly seeds: readonly Secret[] };

export type RedisAccess = {
  /**
   * Runs a step on the connection to the server that has the key. In a cluster all keys of a step are in one slot. Where the connection is away
   * the step is rejected at once; the caller decides how long to wait for an answer.
   */
  use<Value>(key: string, step: (client: RedisClient) => Promise<Value>): Promise<Value>;
  close(): void;
};

export type RedisAccessParts = {
  readonly log: Logger;
  /** As in redis-client.ts. */
  readonly silentMsMax?: number;
};

/** Does not wait for the connections. */
export function openRedisAccess(place: RedisPlace, parts: RedisAccessParts): RedisAccess {
  if (place.kind === 'cluster') return openRedisCluster(place.seeds, parts);
  const client = createRedisClient(place.url, { ...parts, absence: createAbsence() });
  client.connect().catch((error: unknown) => parts.log.debug({ err: error }, 'connection to Redis was closed'));
  return { use: (_key, step) => step(client), close: () => client.destroy() };
}
