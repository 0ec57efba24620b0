/** From a ledger to the frames of a backup: everything as of one moment, while servers go on recording. */
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { toClientConfig, type Connection } from '../postgres.ts';
import type { DumpFrame, DumpHeader } from './dump-file.ts';
import { readColumns, readCounters, readMigrations } from './ledger-tables.ts';

export type Snapshot = {
  readonly header: Omit<DumpHeader, 'version'>;
  readonly pollCount: number;
  frames(): AsyncIterable<DumpFrame>;
  close(): Promise<void>;
};

const epochBytes = 8;

/**
 * One transaction that sees the ledger as it is now. It holds up nobody; as long as it is open, the database keeps what is replaced meanwhile.
 * @throws {Error} one line, where there is no ledger
 */
export async function openSnapshot(connection: Connection): Promise<Snapshot> {
  const client = await openPatientClient(connection);
  try {
    await client.query('begin transaction isolation level repeatable read read only');
    const migrations = await readMigrations(client);
    if (migrations.length === 0)
      throw new Error('There is no ledger in this database yet, so there is nothing to back up.');
    const { rows } = await client.query<{ at: number; pollCount: number; epoch: string | null }>(`
      select
        clock_timestamp() as at,
        (select count(*) from public.polls) as "pollCount",
        (select encode(substr(value, 1, ${epochBytes}), 'hex') from public.secrets where name = 'epoch') as epoch
    `);
    const { at = 0, pollCount = 0, epoch = null } = rows[0] ?? {};
    return {
      header: { madeAt: new Date(at).toISOString(), epoch, migrations },
      pollCount,
      frames: () => readFrames(client),
      close: () => client.end(),
    };
  } catch (error) {
    await client.end();
    throw error;
  }
}

/** A connection on which a statement may take as long as it takes, and text means the same everywhere. */
export async function openPatientClient(connection: Connection): Promise<pg.Client> {
  const { query_timeout: _answerTimeout, ...config } = toClientConfig(connection, 0);
  const client = new pg.Client({ ...config, application_name: 'hustings backup' });
  // What is under way on the connection fails, too, and that is told.
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query(`
      set statement_timeout = 0;
      set idle_in_transaction_session_timeout = 0;
      set client_encoding = 'UTF8';
      set datestyle = 'ISO';
      set timezone = 'UTC'
    `);
    return client;
  } catch (error) {
    await client.end();
    throw error;
  }
}

async function* readFrames(client: pg.Client): AsyncGenerator<DumpFrame> {
  for (const [table, columns] of await readColumns(client)) {
    yield { kind: 'table', table, columns };
    const names = columns.map((column) => `"${column}"`).join(', ');
    // A partitioned table is copied by its query only.
    const rows = client.query(copyTo(`copy (select ${names} from public.${table}) to stdout`));
    for await (const bytes of rows) yield { kind: 'rows', bytes: bytes as Buffer }; // What COPY sends.
    yield { kind: 'end', rowCount: rows.rowCount };
  }
  // Counters belong to no transaction. Read last, they are at or beyond every number in the tables.
  yield { kind: 'counters', counters: await readCounters(client) };
}
