import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '../../test/support/server.ts';

const mainFile = path.resolve(import.meta.dirname, '../main.ts');

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

type Ended = { readonly status: number | null; readonly said: string; readonly complained: string };

/** `hustings migrate` as a process of its own. */
async function runMigrate(databaseUrl: string, ...flags: string[]): Promise<Ended> {
  const { POSTGRES_HOST: _host, ...env } = process.env;
  const child = spawn(process.execPath, [mainFile, 'migrate', '--log-level', 'fatal', ...flags], {
    env: { ...env, DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended: { status: number | null; said: string; complained: string } = { status: null, said: '', complained: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (ended.said += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (ended.complained += text));
  await once(child, 'close');
  ended.status = child.exitCode;
  return ended;
}

async function readNames(): Promise<string[]> {
  const files = await readdir(path.join(import.meta.dirname, 'migrations'));
  return files.map((file) => file.replace('.sql', '')).sort();
}

test('of four processes that migrate at once one does it, each migration runs once, and all end well', async () => {
  const url = await createDatabase();
  const names = await readNames();
  const ends = await Promise.all(Array.from({ length: 4 }, () => runMigrate(url)));
  expect(ends.map(({ status, complained }) => [status, complained])).toEqual(ends.map(() => [0, '']));
  const said = ends.map((end) => end.said.trim()).sort();
  const upToDate = 'The tables are up to date.';
  const ran = [`${names.length} migrations ran:`, ...names.map((name) => `  ${name}`)].join('\n');
  expect(said).toEqual([ran, upToDate, upToDate, upToDate].sort());
  const client = await connect(url);
  const { rows } = await client.query<{ name: string }>('select name from migrations order by id');
  expect(rows.map(({ name }) => name)).toEqual(names);
});

test('a migration that does not get its lock gives up in time, in one line, and leaves nothing behind', async () => {
  const url = await createDatabase();
  const holder = await connect(url);
  // Whoever migrates takes a lock of this number; any other on what it wants to change would do as well.
  await holder.query('select pg_advisory_lock(7241865325823964)');
  const { status, complained } = await runMigrate(url, '--migration-lock-timeout-ms', '100');
  expect(status).toBe(1);
  expect(complained).toMatch(/^hustings: [^\n]*lock timeout[^\n]*\n$/u);
  expect((await holder.query('select 1 from pg_tables where tablename = $1', ['polls'])).rows).toEqual([]);
  await holder.query('select pg_advisory_unlock_all()');
  expect((await runMigrate(url)).status).toBe(0);
});
