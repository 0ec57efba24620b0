/**
 * The bus over PostgreSQL's LISTEN and NOTIFY, on a connection of its own. Deltas are gathered for a moment and told together: a NOTIFY takes a
 * lock of the whole database at its commit, so it is kept out of the statement that records, and comes at most twenty times a second.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { toClientConfig, type Connection } from '../ledger/postgres.ts';
import type { Logger } from '../lib/logger.ts';
import type { TallyDelta } from '../tally/tally-change.ts';
import type { Bus, BusListener } from './bus.ts';
import { createReceiver, mergeDeltas, toPayloads } from './bus-message.ts';

export type BusOptions = { readonly statementTimeoutMs: number; readonly log: Logger };

const gatherMs = 50;
const reconnectMs = 200;
const tallyChannel = 'hustings_tallies';
const pollChannel = 'hustings_polls';

/** Resolves when the bus listens: what is told from then on is heard. */
export async function startPostgresBus(
  connection: Connection,
  listener: BusListener,
  { statementTimeoutMs, log }: BusOptions,
): Promise<Bus> {
  const processId = randomBytes(8).toString('hex');
  const receive = createReceiver(processId);
  let client: pg.Client | null = null;
  // Without the bus nothing is kept: the others read the ledger when they find what they missed.
  const outbox = createOutbox(processId, (payloads) => {
    client
      ?.query('select pg_notify($1, payload) from unnest($2::text[]) as payload', [tallyChannel, payloads])
      .catch((error: unknown) => log.debug({ err: error }, 'not told'));
  });
  let stopped = false;
  let reconnecting: Promise<void> = Promise.resolve();

  async function open(): Promise<void> {
    const opened = new pg.Client(toClientConfig(connection, statementTimeoutMs));
    opened.on('error', (error) => lose(opened, error));
    opened.on('end', () => lose(opened, null));
    opened.on('notification', ({ channel, payload = '' }) => hear(channel, payload));
    try {
      await opened.connect();
      await opened.query(`listen ${tallyChannel}; listen ${pollChannel}`);
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
    if (!stopped) listener.onBack();
  }

  function hear(channel: string, payload: string): void {
    if (channel === pollChannel) {
      const [pollNo, revision] = payload.split(' ');
      listener.onPoll({ pollNo: Number(pollNo), revision: revision === 'deleted' ? revision : Number(revision) });
      return;
    }
    const received = receive(payload);
    if (received?.kind === 'delta') listener.onDelta(received.delta);
    else if (received?.kind === 'too_much') listener.onTooMuch();
  }

  await open();
  return {
    tell: outbox.put,
    async stop() {
      outbox.flush();
      stopped = true;
      await reconnecting;
      if (client !== null) await closeQuietly(client);
    },
  };
}

/** Deltas that wait to be told, those of one slot made into one. */
function createOutbox(processId: string, send: (payloads: readonly string[]) => void) {
  const gathered = new Map<number, TallyDelta>();
  let messageNo = 0;
  let timer: NodeJS.Timeout | null = null;

  function flush(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const deltas = [...gathered.values()];
    gathered.clear();
    const payloads = deltas.flatMap((delta) => toPayloads({ processId, messageNo: (messageNo += 1) }, delta));
    if (payloads.length > 0) send(payloads);
  }

  return {
    put(delta: TallyDelta): void {
      gathered.set(delta.slot, mergeDeltas(gathered.get(delta.slot), delta));
      timer ??= setTimeout(flush, gatherMs).unref();
    },
    flush,
  };
}

async function closeQuietly(client: pg.Client): Promise<void> {
  // It is given up already: a second failure at its end says nothing new.
  await client.end().catch(() => undefined);
}
