/**
 * The bus over PostgreSQL's LISTEN and NOTIFY. Deltas are gathered for a moment and told together: a NOTIFY takes a
 * lock of the whole database at its commit, so it is kept out of the statement that records, and comes at most twenty times a second.
 */
import type { Connection } from '../ledger/postgres.ts';
import type { Logger } from '../lib/logger.ts';
import type { Bus, BusListener } from './bus.ts';
import { openLedgerChannels, parsePollNews, pollChannel } from './ledger-channels.ts';
import { createTallyChannel } from './tally-channel.ts';

export type BusOptions = { readonly statementTimeoutMs: number; readonly log: Logger };

const tallyChannel = 'hustings_tallies';

/** Resolves when the bus listens: what is told from then on is heard. */
export async function startPostgresBus(
  connection: Connection,
  listener: BusListener,
  options: BusOptions,
): Promise<Bus> {
  // Nothing is told before the channels are open. Without them nothing is kept: the others read the ledger when they find what they missed.
  const tallies = createTallyChannel(listener, (payloads) => channels.tell(tallyChannel, payloads));
  const channels = await openLedgerChannels(connection, {
    ...options,
    channels: [tallyChannel, pollChannel],
    hear(channel, payload) {
      if (channel === pollChannel) listener.onPoll(parsePollNews(payload));
      else tallies.hear(payload);
    },
    onBack: listener.onBack,
  });
  return {
    tell: tallies.put,
    async stop() {
      tallies.flush();
      await channels.stop();
    },
  };
}
