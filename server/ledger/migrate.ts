/** Brings the schema of the ledger up to date, with the SQL files beside this one. */
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Logger } from '../lib/logger.ts';
import type { Pool } from './postgres.ts';

const migrationsFolder = fileURLToPath(new URL('migrations', import.meta.url));
const migrationsTable = 'migrations';

export type MigrateOptions = {
  readonly lockTimeoutMs: number;
  readonly log: Logger;
  /** How many of those that are missing run at most; all of them without it. */
  readonly countMax?: number;
};

/**
 * Runs what is missing, under an advisory lock, so that servers that start together do not step on each other.
 * Answers the names of the migrations that were run.
 */
export async function migrate(pool: Pool, options: MigrateOptions): Promise<string[]> {
  if (await isUpToDate(pool)) return [];
  // Loaded only when there is work: nearly every start finds the schema as it should be.
  const { runner } = await import('node-pg-migrate');
  const client = await pool.connect();
  try {
    await client.query(`set lock_timeout = ${Math.floor(options.lockTimeoutMs)}`);
    await client.query('set statement_timeout = 0');
    const run = await runner({
      dbClient: client,
      dir: migrationsFolder,
      direction: 'up',
      migrationsTable,
      advisoryLockMode: 'wait',
      ...(options.countMax === undefined ? {} : { count: options.countMax }),
      logger: { info: noLog, warn: noLog, error: (text: string) => options.log.error({ text }, 'migration failed') },
    });
    return run.map((migration) => migration.name);
  } finally {
    client.release(true);
  }
}

/** The names of the migrations of this program, in their order. */
export async function listMigrations(): Promise<string[]> {
  const files = await readdir(migrationsFolder);
  return files
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => file.replace('.sql', ''));
}

/** Whether the newest migration of this program has run. */
async function isUpToDate(pool: Pool): Promise<boolean> {
  const newest = (await listMigrations()).at(-1);
  const { rows: tables } = await pool.query<{ found: boolean }>('select to_regclass($1) is not null as found', [
    migrationsTable,
  ]);
  if (tables[0]?.found !== true) return false;
  const { rows } = await pool.query(`select 1 from ${migrationsTable} where name = $1`, [newest]);
  return rows.length === 1;
}

function noLog(): void {
  // node-pg-migrate prints each statement; the caller logs the names instead.
}
