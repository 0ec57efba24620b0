/** Channels of the ledger's database (LISTEN and NOTIFY), on a connection of their own that is made again whenever it is lost. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { toClientConfig, type Connection } from '../ledger/postgres.ts';
import type { Logger } from '../lib/logger.ts';
import type { PollNews } from './bus.ts';

export type LedgerChannelsParts = {
  readonly channels: readonly string[];
  readonly hear: (channel: string, payload: string) => void;
  /** It listens again after it did not: anything may have been missed. */
  readonly onBack: () => void;
  readonly statementTimeoutMs: number;
  readonly log: Logger;
};

export type LedgerChannels = {
  /** Never waits. While the connection is away, what is told is lost. */
  tell(channel: string, payloads: readonly string[]): void;
  stop(): Promise<void>;
};

/** Where a trigger of the ledger tells of every poll that was made, changed or deleted. */
export const pollChannel = 'hustings_polls';

const reconnectMs = 200;

/** Resolves when it listens: what is told from then on is heard. */
export async function openLedgerChannels(
  connection: Connection,
  { channels, hear, onBack, statementTimeoutMs, log }: LedgerChannelsParts,
): Promise<LedgerChannels> {
  let client: pg.Client | null = null;
  let stopped = false;
  let reconnecting: Promise<void> = Promise.resolve();
  /** One after the other, as the driver wants it. */
  let told: Promise<unknown> = Promise.resolve();

  async function open(): Promise<void> {
    const opened = new pg.Client(toClientConfig(connection, statementTimeoutMs));
    opened.on('error', (error) => lose(opened, error));
    opened.on('end', () => lose(opened, null));
    opened.on('notification', ({ channel, payload = '' }) => hear(channel, payload));
    try {
      await opened.connect();
      await opened.query(channels.map((channel) => `listen ${channel}`).join('; '));
      client = opened;
    } catch (error) {
      await closeQuietly(opened);
      throw error;
    }
  }

  function lose(lost: pg.Client, error: Error | null): void {
    if (client !== lost || stopped) return;
    client = null;
    log.warn({ err: error }, 'bus lost');
    void closeQuietly(lost);
    reconnecting = reconnect();
  }

  async function reconnect(): Promise<void> {
    while (!stopped && client === null) {
      await sleep(reconnectMs, undefined, { ref: false });
      try {
        if (!stopped) await open();
      } catch (error) {
        log.debug({ err: error }, 'bus still away');
      }
    }
    if (!stopped) onBack();
  }

  await open();
  return {
    tell(channel, payloads) {
      told = told
        .then(() =>
          client?.query('select pg_notify($1, payload) from unnest($2::text[]) as payload', [channel, payloads]),
        )
        .catch((error: unknown) => log.debug({ err: error }, 'not told'));
    },
    async stop() {
      stopped = true;
      await Promise.all([reconnecting, told]);
      if (client !== null) await closeQuietly(client);
    },
  };
}

export function parsePollNews(payload: string): PollNews {
  const [pollNo, revision] = payload.split(' ');
  return { pollNo: Number(pollNo), revision: revision === 'deleted' ? revision : Number(revision) };
}

async function closeQuietly(client: pg.Client): Promise<void> {
  // It is given up already: a second failure at its end says nothing new.
  await client.end().catch(() => undefined);
}
