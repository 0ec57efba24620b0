/** Connections to the ledger's PostgreSQL, and what Hustings expects of that server. */
import pg from 'pg';

/** Where the ledger's database is: a URL, or the folder of a Unix socket. */
export type Connection =
  | { readonly connectionString: string }
  | {
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly database: string;
      readonly password?: string;
    };

export type Durability = 'strict' | 'process';
export type Pool = pg.Pool;
/** Anything that runs a query: the pool, or one connection inside a transaction. */
export type Queryable = Pick<pg.ClientBase, 'query'>;

export type PoolOptions = { readonly connectionsMax: number; readonly statementTimeoutMs: number };

const versionMin = 150_000;
const connectTimeoutMs = 5_000;
/** How much later than the server the client gives up: the server's own answer is the more exact one. */
const answerGraceMs = 2_000;
/**
 * How long a transaction may stand between two of its statements. The database does not notice for hours that a machine or a network has
 * gone, and the locks of its transactions would be held so long, against every other server.
 */
const transactionIdleMsMax = 5_000;

const { builtins } = pg.types;

/** int8 as number (counts stay far below 2^53), timestamptz as milliseconds since 1970. */
const types: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (format !== 'binary' && oid === builtins.INT8) return Number;
    if (format !== 'binary' && oid === builtins.TIMESTAMPTZ) return toMilliseconds;
    return pg.types.getTypeParser(oid, format);
  },
};

function toMilliseconds(text: string): number {
  return Date.parse(text.replace(/([+-]\d\d)$/u, '$1:00'));
}

export function toClientConfig(connection: Connection, statementTimeoutMs: number): pg.ClientConfig {
  return {
    ...connection,
    types,
    application_name: 'hustings',
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + answerGraceMs,
    keepAlive: true,
  };
}

/** A pool for everything but recording. A connection whose query failed in doubt is destroyed, never used again. */
export function createPool(connection: Connection, options: PoolOptions, onError: (error: Error) => void): Pool {
  const pool = new pg.Pool({
    ...toClientConfig(connection, options.statementTimeoutMs),
    max: options.connectionsMax,
    idleTimeoutMillis: 30_000,
  });
  // A connection in use tells of its end, too: its query fails, and an error that nobody hears would end the process.
  pool.on('error', onError).on('connect', (client) => client.on('error', onError));
  return pool;
}

/** Runs `work` in one transaction on one connection. After an error the connection is closed, so nothing of it can linger. */
export async function inTransaction<Result>(pool: Pool, work: (client: Queryable) => Promise<Result>): Promise<Result> {
  const client = await pool.connect();
  let failed = true;
  try {
    await client.query(`begin; set local idle_in_transaction_session_timeout = ${transactionIdleMsMax}`);
    const result = await work(client);
    await client.query('commit');
    failed = false;
    return result;
  } finally {
    client.release(failed);
  }
}

type ServerSettings = { version: number; fsync: string; synchronous_commit: string; full_page_writes: string };

/**
 * Refuses a server that is too old, or, with durability `strict`, one that may lose what it has committed.
 * @throws {Error} one line that names the setting and the remedy
 */
export async function checkServer(pool: Pool, durability: Durability): Promise<void> {
  const { rows } = await pool.query<ServerSettings>(`
    select
      current_setting('server_version_num')::integer as version,
      current_setting('fsync') as fsync,
      current_setting('synchronous_commit') as synchronous_commit,
      current_setting('full_page_writes') as full_page_writes
  `);
  const settings = rows[0];
  if (settings === undefined) throw new Error('PostgreSQL did not tell its settings.');
  if (settings.version < versionMin) {
    throw new Error(
      `PostgreSQL ${Math.floor(settings.version / 10_000)} is too old: Hustings needs version 15 or newer.`,
    );
  }
  if (durability === 'process') return;
  for (const name of ['fsync', 'synchronous_commit', 'full_page_writes'] as const) {
    if (settings[name] === 'off') {
      throw new Error(
        `PostgreSQL has ${name} = ${settings[name]}, so a power cut may lose acknowledged ballots. ` +
          `Run "alter system set ${name} = on" there and reload it, or start with --durability process.`,
      );
    }
  }
}
