/** Writes server/ledger/schema.sql: what the migrations make of an empty database, so that a change to them is read in review. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startEmbeddedPostgres } from '../server/ledger/embedded/embedded.ts';
import { migrate } from '../server/ledger/migrate.ts';
import { createPool } from '../server/ledger/postgres.ts';
import { readSchemaText } from './schema-text.ts';

const file = path.resolve(import.meta.dirname, '../server/ledger/schema.sql');
const log = { debug: () => {}, info: () => {}, warn: console.warn, error: console.error };

const dataFolder = await mkdtemp(path.join(tmpdir(), 'hustings-schema-'));
try {
  const postgres = await startEmbeddedPostgres({ dataFolder, log });
  try {
    const pool = createPool(postgres.connection, { connectionsMax: 2, statementTimeoutMs: 10_000 }, console.error);
    await migrate(pool, { lockTimeoutMs: 10_000, log });
    await writeFile(
      file,
      `-- Made by scripts/dump-schema.ts from the migrations. Do not edit.\n\n${await readSchemaText(pool)}`,
    );
    await pool.end();
  } finally {
    await postgres.stop();
  }
} finally {
  await rm(dataFolder, { recursive: true, force: true });
}
console.log(`Wrote ${path.relative('.', file)}.`);
