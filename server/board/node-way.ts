/** How the steps of a node of the shared board reach the Redis that has its keys. */
import { createAbsence } from '../lib/absence.ts';
import type { Logger } from '../lib/logger.ts';
import { about } from '../lib/cluster-connections.ts';
import { createRedisClient, type RedisClient } from '../lib/redis-client.ts';
import type { Secret } from '../lib/secret.ts';
import { within } from '../lib/within.ts';

export type NodeWay = {
  /** Runs a step on the connection; where there is none, it rejects at once. The caller decides how long to wait. */
  use<Value>(step: (client: RedisClient) => Promise<Value>): Promise<Value>;
  /** The names of all keys that may belong to the node, and perhaps of others, in portions. */
  scan(pattern: string): AsyncIterable<readonly string[]>;
  close(): void;
};

/** A connection on which nothing has come for so long is given up. */
export const silentMsMax = 5_000;
export const scanCount = 1_000;
/** For a portion. */
export const scanMsMax = 2_000;

/** Opens a connection to a server of its own, and does not wait for it. */
export function openServerWay({ name, url }: { readonly name: string; readonly url: Secret }, log: Logger): NodeWay {
  const client = createRedisClient(url, { absence: createAbsence(), log: about(log, name), silentMsMax });
  client.connect().catch((error: unknown) => log.debug({ err: error }, 'connection to a node was closed'));
  return {
    use: (step) => step(client),
    async *scan(pattern) {
      let cursor = '0';
      do {
        const found = await within(scanMsMax, client.scan(cursor, { MATCH: pattern, COUNT: scanCount }));
        yield found.keys;
        cursor = found.cursor;
      } while (cursor !== '0');
    },
    close: () => client.destroy(),
  };
}
