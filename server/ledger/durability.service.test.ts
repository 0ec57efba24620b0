import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { createDatabase, startOn } from '../../test/support/server.ts';
import { startEmbeddedPostgres } from './embedded/embedded.ts';
import { checkServer, createPool, type Connection, type Pool } from './postgres.ts';

const ignore = (): void => undefined;

function openPool(connection: Connection): Pool {
  const pool = createPool(connection, { connectionsMax: 2, statementTimeoutMs: 10_000 }, ignore);
  onTestFinished(() => pool.end());
  return pool;
}

/** One line that names the setting, what it costs and what to do. */
const refusalOf = (setting: string): RegExp =>
  new RegExp(`^PostgreSQL has ${setting} = off, so a power cut may lose acknowledged ballots\\. [^\\n]+$`, 'u');

test('a server that keeps what it commits is taken', async () => {
  const pool = openPool({ connectionString: await createDatabase() });
  await expect(checkServer(pool, 'strict')).resolves.toBeUndefined();
});

test('a database that commits without waiting for the disk is refused, and taken where that is wished for', async () => {
  const url = await createDatabase();
  const name = new URL(url).pathname.slice(1);
  await openPool({ connectionString: url }).query(`alter database ${name} set synchronous_commit = off`);
  await expect(checkServer(openPool({ connectionString: url }), 'strict')).rejects.toThrow(
    refusalOf('synchronous_commit'),
  );
  await expect(startOn(url)).rejects.toThrow(refusalOf('synchronous_commit'));
  await expect(checkServer(openPool({ connectionString: url }), 'process')).resolves.toBeUndefined();
});

test.for(['fsync', 'full_page_writes'])('a server with %s off is refused', async (setting) => {
  const dataFolder = await mkdtemp(path.join(tmpdir(), 'hustings-test-'));
  const postgres = await startEmbeddedPostgres({
    dataFolder,
    log: pino({ level: 'silent' }),
    settings: { [setting]: 'off' },
  });
  const pool = createPool(postgres.connection, { connectionsMax: 1, statementTimeoutMs: 10_000 }, ignore);
  onTestFinished(async () => {
    await pool.end();
    await postgres.stop();
    await rm(dataFolder, { recursive: true, force: true });
  });
  await expect(checkServer(pool, 'strict')).rejects.toThrow(refusalOf(setting));
  await expect(checkServer(pool, 'process')).resolves.toBeUndefined();
});
