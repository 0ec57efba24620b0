/**
 * The bus over Redis' PUBLISH and SUBSCRIBE, which takes the telling of batches off the ledger. News of polls still come from the ledger,
 * where a trigger tells them in the transaction itself: they are rare and must not be lost.
 *
 * Redis keeps nothing for whoever is not there. After each break of the subscription the listener is told that anything may have happened; what
 * a sender could not tell shows as a gap in the numbers of its batches, or at the next look at the ledger. A connection that has gone silent
 * is given up, so a Redis that hangs is left like one that was killed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../ledger/postgres.ts';
import type { RedisPlace } from '../lib/redis-access.ts';
import type { Bus, BusListener } from './bus.ts';
import { openLedgerChannels, parsePollNews, pollChannel } from './ledger-channels.ts';
import type { BusOptions } from './postgres-bus.ts';
import { createTallyChannel } from './tally-channel.ts';

export type RedisBusOptions = BusOptions & {
  readonly place: RedisPlace;
  /** Servers on other ledgers may use the same Redis, and channels do not belong to its numbered databases. */
  readonly installation: string;
};

/** What a stopping process told last is worth this wait and no longer. */
const lastWordMsMax = 1_000;

/** Resolves when the bus listens, or when Redis does not answer at once: the server starts without it, and the ledger is looked at each second. */
export async function startRedisBus(
  connection: Connection,
  listener: BusListener,
  { place, installation, ...options }: RedisBusOptions,
): Promise<Bus> {
  const { log } = options;
  // Only those who name a Redis wait for its client to be loaded.
  const { openRedisChannel } = await import('./redis-channel.ts');
  const started = Promise.withResolvers<void>();
  let isStarted = false;
  let told: Promise<unknown> = Promise.resolve();
  const channels = await openLedgerChannels(connection, {
    ...options,
    channels: [pollChannel],
    hear: (_channel, payload) => listener.onPoll(parsePollNews(payload)),
    onBack: listener.onBack,
  });
  const channel = openRedisChannel(place, `hustings:${installation}:tallies`, {
    hear: (payload) => tallies.hear(payload),
    onListening() {
      if (isStarted) listener.onBack();
      else started.resolve();
    },
    onAway: () => started.resolve(),
    log,
  });
  const tallies = createTallyChannel(listener, (payloads) => {
    told = Promise.all(payloads.map(channel.publish)).catch((error: unknown) => log.debug({ err: error }, 'not told'));
  });
  await started.promise;
  isStarted = true;
  return {
    tell: tallies.put,
    async stop() {
      tallies.flush();
      await Promise.race([told, sleep(lastWordMsMax, undefined, { ref: false })]);
      channel.stop();
      await channels.stop();
    },
  };
}
