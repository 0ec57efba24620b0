import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { EmbeddedConnection } from './address.ts';
import { EmbeddedPostgresError, systemCode } from './error.ts';

/**
 * The right to use the data folder: a session-level advisory lock in the embedded server. It ends with
 * our process, however that ends, so there is never a stale one.
 */
export type FolderLock = {
  /** The server's process number, told by the server itself. */
  postmasterPid: number;
  /** Settles when the connection that holds the lock is gone. Never rejects. */
  lost: Promise<void>;
  release(): Promise<void>;
};

/** Any number that stays the same. The lock lives in the database `postgres`, where nothing else does. */
const lockKey = 4_878_537;

/**
 * Takes the lock on a server that answers, and makes the database if it is not there yet.
 *
 * @throws {EmbeddedPostgresError} `folder_in_use` if another Hustings holds it.
 * @throws the error of `pg` if the server does not answer, because it is starting or ending.
 */
export async function takeFolderLock(connection: EmbeddedConnection, shownFolder: string): Promise<FolderLock> {
  const client = new pg.Client({
    ...connection,
    database: 'postgres',
    application_name: `${applicationPrefix}${process.pid}`,
    connectionTimeoutMillis: 5_000,
  });
  const lost = new Promise<void>((resolve) => {
    client.once('end', resolve);
    // The connection is over as well; what happened is in the server's log.
    client.on('error', () => resolve());
  });
  try {
    await client.connect();
    await waitForLock(client, shownFolder);
    await ensureDatabase(client, connection.database);
    const postmasterPid = await readPostmasterPid(client);
    return { postmasterPid, lost, release: () => client.end() };
  } catch (error) {
    await client.end().catch(() => {}); // It never connected or is broken; the first error tells.
    throw error;
  }
}

const applicationPrefix = 'hustings ';

/**
 * When the holder was killed a moment ago, its lock goes as soon as the server notices; so a lock that
 * is held is looked at again for a while before it counts as held.
 */
async function waitForLock(client: pg.Client, shownFolder: string): Promise<void> {
  const startedMs = performance.now();
  for (;;) {
    const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [lockKey]);
    if (rows[0]?.taken === true) return;
    const holder = await readHolder(client);
    const waitedMs = performance.now() - startedMs;
    const patienceMs = holder !== undefined && !isAlive(holder) ? 3_000 : 500;
    if (waitedMs > patienceMs) throw toInUse(holder, shownFolder);
    await sleep(20);
  }
}

/** The process that holds the lock, if it says so in the name of its session. */
async function readHolder(client: pg.Client): Promise<number | undefined> {
  const { rows } = await client.query<{ name: string }>(
    `select activity.application_name as name
     from pg_locks
     join pg_stat_activity as activity using (pid)
     where locktype = 'advisory'
     and pg_locks.database = (select oid from pg_database where datname = current_database())
     and classid = 0
     and objid = $1
     and granted`,
    [lockKey],
  );
  const name = rows[0]?.name ?? '';
  const pid = Number(name.startsWith(applicationPrefix) && name.slice(applicationPrefix.length));
  return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}

function toInUse(holder: number | undefined, shownFolder: string): EmbeddedPostgresError {
  const shownHolder = holder === undefined ? '' : ` (process ${holder})`;
  return new EmbeddedPostgresError(
    'folder_in_use',
    `another Hustings${shownHolder} is using ${shownFolder}; stop it or choose another folder with --data`,
  );
}

async function ensureDatabase(client: pg.Client, name: string): Promise<void> {
  const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
  if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
}

async function readPostmasterPid(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: string }>(
    `select split_part(pg_read_file('postmaster.pid'), chr(10), 1) as pid`,
  );
  return Number(rows[0]?.pid);
}
