/** The PostgreSQL that Hustings brings along, in a folder of its own. */
import path from 'node:path';
import pino from 'pino';
import { startEmbeddedPostgres } from '../../server/ledger/embedded/embedded.ts';
import { withGuard, type Guard } from './guard.ts';

export type PostgresService = {
  /** Of a database whose user may create others. */
  readonly url: string;
  stop(): Promise<void>;
};

/** For many servers and workers at a time, as tests start them. */
const settings = { max_connections: '500' };

/** It is started again whenever it dies, until it is stopped. Reached by a Unix socket in the folder. */
export async function startPostgres(folder: string, options: { guard?: Guard } = {}): Promise<PostgresService> {
  return withGuard(folder, options.guard, async (guard) => {
    guard.watchPostmaster(path.join(folder, 'postgres'));
    const log = pino({ level: 'warn' }, pino.destination(2));
    const postgres = await startEmbeddedPostgres({ dataFolder: folder, settings, log });
    const { user, host, database } = postgres.connection;
    const url = `postgres://${user}@localhost/${database}?host=${encodeURIComponent(host)}`;
    return { url, stop: postgres.stop };
  });
}
