/** The ledger's database, ready to be used: found or started, checked, and its schema up to date. */
import type { Config } from './config.ts';
import { startEmbeddedPostgres } from './ledger/embedded/embedded.ts';
import { joinEmbeddedPostgres } from './ledger/embedded/join.ts';
import { migrate } from './ledger/migrate.ts';
import { checkServer, createPool, type Connection, type Pool } from './ledger/postgres.ts';
import type { Logger } from './lib/logger.ts';

export type Ledger = {
  readonly pool: Pool;
  readonly connection: Connection;
  /** The names of the migrations that this start has run. */
  readonly migrated: readonly string[];
  close(): Promise<void>;
};

export type LedgerOptions = {
  readonly log: Logger;
  readonly onProgress: (text: string) => void;
  readonly onLost: (error: Error) => void;
  /** Whether the process joins the embedded database of a server that runs, in place of starting it. */
  readonly joins?: boolean;
};

type NeedsConfig = Pick<
  Config,
  'database' | 'poolConnectionsMax' | 'recorderLanes' | 'ingestLog' | 'worker' | 'processes'
>;

type LedgerConfig = NeedsConfig &
  Pick<Config, 'dataFolder' | 'durability' | 'statementTimeoutMs' | 'migrationLockTimeoutMs'>;

/** In an embedded database: for workers and commands beside the server, and what PostgreSQL keeps for itself. */
const spareConnections = 30;
const embeddedConnectionsMin = 50;

/** Connections to the database, at most, of servers and workers with the same settings. */
export type ConnectionNeeds = {
  /** Of each process: for everything but recording, for recording, and to hear of the others. */
  readonly pool: number;
  readonly lanes: number;
  readonly news: number;
  /** Of all processes of a machine together: the lock on the data folder, and the process that starts the others. */
  readonly shared: number;
  readonly each: number;
  readonly all: number;
};

/** What the processes take, which starts here (the pool and the lock), in `open-intake.ts` (the lanes) and in `known.ts` (the news). */
export function toConnectionNeeds(config: NeedsConfig): ConnectionNeeds {
  const { poolConnectionsMax: pool, processes } = config;
  const lanes = config.ingestLog.name === 'direct' || config.worker ? config.recorderLanes : 0;
  // With a bus over Redis, too: the ledger itself tells of polls.
  const news = 1;
  const shared = (config.database.kind === 'embedded' ? 1 : 0) + (processes > 1 ? 1 : 0);
  const each = pool + lanes + news;
  return { pool, lanes, news, shared, each, all: processes * each + shared };
}

/** @throws {Error} one line for whoever starts the server: what is wrong with the database, and the remedy */
export async function openLedger(config: LedgerConfig, options: LedgerOptions): Promise<Ledger> {
  const database = await openDatabase(config, options);
  try {
    const { migrationLockTimeoutMs: lockTimeoutMs } = config;
    const migrated = await migrate(database.pool, { lockTimeoutMs, log: options.log });
    return { ...database, migrated };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** The database as it is, whatever its schema. @throws {Error} as `openLedger` does */
export async function openDatabase(config: LedgerConfig, options: LedgerOptions): Promise<Omit<Ledger, 'migrated'>> {
  const { log } = options;
  const database = await findDatabase(config, options);
  let closing = false;
  const pool = createPool(
    database.connection,
    { connectionsMax: config.poolConnectionsMax, statementTimeoutMs: config.statementTimeoutMs },
    (error) => {
      // At the end connections are closed from both sides. And pg hangs the whole connection on the error, which no log wants.
      if (!closing) log.warn({ reason: error.message }, 'database connection lost');
    },
  );
  async function close(): Promise<void> {
    closing = true;
    await pool.end();
    await database.stop();
  }
  try {
    await checkServer(pool, config.durability);
    return { pool, connection: database.connection, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function findDatabase(
  config: LedgerConfig,
  options: LedgerOptions,
): Promise<{ connection: Connection; stop(): Promise<void> }> {
  if (config.database.kind === 'postgres') {
    return { connection: { connectionString: config.database.url.reveal() }, stop: () => Promise.resolve() };
  }
  if (options.joins === true) return joinEmbeddedPostgres(config.dataFolder);
  const connections = Math.max(embeddedConnectionsMin, toConnectionNeeds(config).all + spareConnections);
  const settings = { max_connections: String(connections) };
  return startEmbeddedPostgres({ dataFolder: config.dataFolder, settings, ...options });
}
