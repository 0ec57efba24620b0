/** One channel of PUBLISH and SUBSCRIBE, on a server or in a cluster, for as long as it is wanted. */
import { createAbsence } from '../lib/absence.ts';
import type { Logger } from '../lib/logger.ts';
import type { RedisPlace } from '../lib/redis-access.ts';
import { createRedisClient, type RedisClient } from '../lib/redis-client.ts';
import { openRedisCluster } from '../lib/redis-cluster.ts';
import type { Secret } from '../lib/secret.ts';

export type RedisChannel = {
  /** Rejects where nobody can be told now. */
  publish(payload: string): Promise<unknown>;
  stop(): void;
};

export type ChannelListener = {
  hear(payload: string): void;
  /** It is subscribed; said again after each break. */
  onListening(): void;
  onAway(): void;
};

const silentMsMax = 5_000;
/** Between leaving one server of a cluster and trying the next. */
const moveMs = 100;

/** Does not wait for the connections. */
export function openRedisChannel(
  place: RedisPlace,
  name: string,
  { hear, onListening, onAway, log }: ChannelListener & { readonly log: Logger },
): RedisChannel {
  const connect = (url: Secret): RedisClient => {
    const client = createRedisClient(url, { absence: createAbsence(), log, silentMsMax });
    client.connect().catch((error: unknown) => log.debug({ err: error }, 'connection to Redis was closed'));
    return client;
  };

  function subscribe(url: Secret, leave: (client: RedisClient) => void): RedisClient {
    const client = connect(url);
    // The client takes up the subscription by itself on a new connection; then this changes nothing and says when it stands.
    client.on('ready', () => {
      client.subscribe(name, hear).then(onListening, (error: unknown) => {
        // The connection is lost again: the next one is listened on.
        log.debug({ err: error }, 'not subscribed');
      });
    });
    client.on('error', () => {
      onAway();
      leave(client);
    });
    return client;
  }

  if (place.kind === 'server') {
    const publisher = connect(place.url);
    const subscriber = subscribe(place.url, () => undefined);
    return {
      publish: (payload) => publisher.publish(name, payload),
      stop() {
        for (const client of [publisher, subscriber]) client.destroy();
      },
    };
  }
  return openInCluster(place.seeds, { name, subscribe, log });
}

type ClusterChannel = {
  readonly name: string;
  readonly log: Logger;
  readonly subscribe: (url: Secret, leave: (client: RedisClient) => void) => RedisClient;
};

/** Whichever server is told tells all others, so one of them is listened to, and another one when that is gone. */
function openInCluster(seeds: readonly Secret[], { name, subscribe, log }: ClusterChannel): RedisChannel {
  const cluster = openRedisCluster(seeds, { log, silentMsMax });
  let turn = 0;
  let subscriber: RedisClient | null = null;
  let timer: NodeJS.Timeout | undefined;

  function next(): void {
    const urls = cluster.serverUrls();
    const url = urls[turn % urls.length];
    turn += 1;
    if (url !== undefined) subscriber = subscribe(url, leave);
  }

  function leave(client: RedisClient): void {
    if (client !== subscriber) return;
    subscriber = null;
    client.destroy();
    timer = setTimeout(next, moveMs).unref();
  }

  next();
  return {
    publish: (payload) => cluster.useAny((client) => client.publish(name, payload)),
    stop() {
      clearTimeout(timer);
      subscriber?.destroy();
      subscriber = null;
      cluster.close();
    },
  };
}
