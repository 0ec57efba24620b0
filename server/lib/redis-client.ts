/** Connections to Redis that say at once when it is not there, and come back by themselves. */
import { RESP_TYPES, createClient } from '@redis/client';
import type { Absence } from './absence.ts';
import type { Logger } from './logger.ts';
import type { Secret } from './secret.ts';

const connectMsMax = 5_000;
const reconnectMsMin = 50;
const reconnectMsMax = 1_000;
const pingsPerSilence = 3;

export type RedisClient = ReturnType<typeof createRedisClient>;
export type RedisClientParts = {
  readonly absence: Absence;
  readonly log: Logger;
  /** A connection on which nothing has come for so long is given up. Without it one that has gone silent is found by what is sent. */
  readonly silentMsMax?: number;
  /** What Redis lists the connection as. */
  readonly name?: string;
};

/** For commands whose answers are bytes. */
export const withBuffers = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } } as const;

/** The first connection is made before this resolves. @throws {Error} one line, where Redis does not answer */
export async function connectToRedis(url: Secret, parts: RedisClientParts): Promise<RedisClient> {
  const client = createRedisClient(url, parts);
  const failed = Promise.withResolvers<never>();
  client.once('error', failed.reject);
  try {
    await Promise.race([client.connect(), failed.promise]);
    return client;
  } catch (error) {
    client.destroy();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Redis at ${String(url)} does not answer: ${reason}`, { cause: error });
  }
}

/** Not connected yet: `connect` keeps trying. */
export function createRedisClient(url: Secret, { absence, log, silentMsMax, name }: RedisClientParts) {
  const client = createClient({
    url: url.reveal(),
    RESP: 2,
    // What is sent while nobody listens fails at once, and its sender knows that it never left.
    disableOfflineQueue: true,
    ...(name === undefined ? {} : { name }),
    ...(silentMsMax === undefined ? {} : { pingInterval: silentMsMax / pingsPerSilence }),
    socket: {
      ...(silentMsMax === undefined ? {} : { socketTimeout: silentMsMax }),
      connectTimeout: connectMsMax,
      reconnectStrategy: (tries) => Math.min(reconnectMsMin * 2 ** tries, reconnectMsMax),
    },
  });
  client.on('error', (error: Error) => {
    if (absence.ms() === 0) log.warn({ reason: error.message }, 'Redis is away');
    absence.begin();
  });
  client.on('ready', () => {
    if (absence.ms() > 0) log.info({}, 'Redis is back');
    absence.end();
  });
  return client;
}
