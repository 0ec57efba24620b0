/** `hustings doctor` against databases and programs that are well, weak or not there. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import pg from 'pg';
import pino from 'pino';
import { afterEach, expect, inject, onTestFinished, test } from 'vitest';
import { findFreePort } from '../../scripts/services/ports.ts';
import { diagnose } from '../../server/commands/doctor.ts';
import { migrateAlone } from '../../server/commands/migrate.ts';
import { parseConfig } from '../../server/config.ts';
import { cleanUp, makeFolder } from '../../server/ledger/embedded/test-support.ts';
import type { Environment } from '../../server/lib/setting-table.ts';
import { mainFile, startProgram } from '../crash/program.ts';
import { createDatabase, startTestServer } from '../support/server.ts';

const log = pino({ level: 'silent' });
const run = promisify(execFile);

afterEach(cleanUp);

type Answer = { readonly well: boolean; readonly report: string; of(area: string): string[] };

async function ask(env: Environment, argv: readonly string[] = ['--port', '0']): Promise<Answer> {
  const answer = await diagnose(parseConfig({ argv, env }), log);
  const lines = answer.report.split('\n');
  return { ...answer, of: (area) => lines.filter((line) => line.slice(5).startsWith(`${area}: `)) };
}

test('a database that a server can use is well, without and with its tables', async () => {
  const url = await createDatabase();
  const before = await ask({ DATABASE_URL: url });
  expect(before.of('database')[0]).toMatch(/^ok {3}database: PostgreSQL \d+/u);
  expect(before.of('durability')).toHaveLength(1);
  expect(before.of('schema')[0]).toContain('there are no tables yet');
  const config = parseConfig({ argv: [], env: { DATABASE_URL: url } });
  await migrateAlone(config, { log, onProgress: () => {}, onLost: fail });
  const after = await ask({ DATABASE_URL: url });
  expect(after.of('schema')[0]).toContain('up to date');
  expect(after.of('latency')[0]).toMatch(/^(?:ok {2}|warn) latency: a statement takes [\d.]+ ms, a commit [\d.]+ ms/u);
  expect(after.of('clock')[0]).toMatch(/^ok/u);
  for (const line of after.report.split('\n').slice(0, -1))
    expect(line).toMatch(/^(?:ok {2}|warn|FAIL) [\w ]+: [^\n]+\.$/u);
});

test('a database that may forget fails with the setting and the remedy, and with --durability process it is a warning', async () => {
  const url = await createDatabase();
  await alter(url, 'set synchronous_commit = off');
  const strict = await ask({ DATABASE_URL: url });
  expect(strict.well).toBe(false);
  expect(strict.of('durability')).toHaveLength(1);
  expect(strict.of('durability')[0]).toMatch(
    /^FAIL .*synchronous_commit = off.*alter system set synchronous_commit = on/u,
  );
  const trial = await ask({ DATABASE_URL: url, DURABILITY: 'process' });
  expect(trial.of('durability')[0]).toMatch(/^warn/u);
});

async function alter(url: string, change: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`alter database ${new URL(url).pathname.slice(1)} ${change}`).finally(() => client.end());
}

test('more processes than max_connections has room for fail with the sum', async () => {
  const DATABASE_URL = await createDatabase();
  expect((await ask({ DATABASE_URL })).of('connections')[0]).toMatch(
    /^ok {3}connections: one process takes 11 connections \(8 pool \+ 2 lanes \+ 1 news\)/u,
  );
  const { well, of } = await ask({ DATABASE_URL, HUSTINGS_POOL_CONNECTIONS_MAX: '17' }, [
    '--port',
    '0',
    '--processes',
    '50',
  ]);
  expect(well).toBe(false);
  expect(of('connections')[0]).toMatch(
    /^FAIL .*50 processes take 1001 connections \(17 pool \+ 2 lanes \+ 1 news each, \+ 1 for all\).*max_connections = 10\d\d/u,
  );
});

test('what is not there fails in one line each, and no line shows a password', async () => {
  const { well, report, of } = await ask(
    {
      DATABASE_URL: 'postgres://u:sesame@127.0.0.1:1/x',
      RABBITMQ_URL: 'amqp://u:sesame@127.0.0.1:1',
      REDIS_URL: 'redis://:sesame@127.0.0.1:1',
      REDIS_NODES: 'redis://:sesame@127.0.0.1:2,redis://:sesame@127.0.0.1:3',
      HUSTINGS_CREATE_KEY: 'sesame-create-key',
      JWT_SECRET_KEY: 'sesame-wRx3vG5k2LqHt8YpZc1NsBd7JmQa',
    },
    ['--port', '0', '--queue', 'rabbitmq'],
  );
  expect(well).toBe(false);
  expect(of('database')[0]).toMatch(/^FAIL .*does not answer.*correct DATABASE_URL/u);
  expect(of('rabbitmq')[0]).toMatch(/^FAIL .*correct RABBITMQ_URL/u);
  expect(of('redis')[0]).toMatch(/^FAIL .*correct REDIS_URL/u);
  expect(of('redis node')).toHaveLength(2);
  expect(of('tokens')[0]).toMatch(/^ok {3}tokens: HS256/u);
  expect(report).not.toContain('sesame');
});

test('a port is free, a Hustings, or taken', async () => {
  const server = await startTestServer('--preset', 'none');
  const { port } = new URL(server.url);
  const env = { DATABASE_URL: server.databaseUrl };
  expect((await ask(env, ['--port', port])).of('port')).toEqual([`ok   port: a Hustings answers on ${port}.`]);
  const other = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  const taken = (other.address() as AddressInfo).port; // It listens on TCP.
  const { well, of } = await ask(env, ['--port', String(taken)]);
  expect(well).toBe(false);
  expect(of('port')[0]).toMatch(/^FAIL .*another program listens.*--port/u);
  const free = await findFreePort();
  expect((await ask(env, ['--port', String(free)])).of('port')).toEqual([`ok   port: ${free} is free.`]);
});

test('keys that nobody publishes fail', async () => {
  const env = { DATABASE_URL: inject('postgresUrl'), JWT_JWKS_URL: 'http://127.0.0.1:1/keys' };
  const { of } = await ask(env);
  expect(of('tokens')[0]).toMatch(/^FAIL .*gives no keys/u);
  expect(of('tokens')[1]).toMatch(/^warn .*JWT_AUDIENCE/u);
});

test('the program joins the embedded database of a server, and its status says whether something fails', async () => {
  const folder = await makeFolder();
  const { DATABASE_URL: _database, POSTGRES_HOST: _host, ...env } = process.env;
  const port = await findFreePort();
  const args = ['doctor', '--data', folder, '--port', String(port)];
  const none = await run(process.execPath, [mainFile, ...args], { env });
  expect(none.stdout).toContain('the first start makes it');
  const server = await startProgram(folder, port);
  const some = await run(process.execPath, [mainFile, ...args], { env });
  expect(some.stdout).toContain('fsync = on, synchronous_commit = on, full_page_writes = on');
  expect(some.stdout).toContain(`a Hustings answers on ${port}`);
  const many = run(process.execPath, [mainFile, ...args, '--processes', '9'], { env });
  await expect(many).rejects.toMatchObject({ code: 1, stdout: expect.stringContaining('FAIL connections') as string });
  server.child.kill('SIGTERM');
  await server.ended;
  expect((await run(process.execPath, [mainFile, ...args], { env })).stdout).toContain('no server runs on it now');
});

test('services that take connections and never answer fail, and the program ends all the same', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  onTestFinished(() => void silent.close());
  const { port } = silent.address() as AddressInfo; // It listens on TCP.
  const env = {
    ...process.env,
    DATABASE_URL: `postgres://127.0.0.1:${port}/x`,
    REDIS_URL: `redis://127.0.0.1:${port}`,
    REDIS_NODES: `redis://127.0.0.1:${port}`,
    RABBITMQ_URL: `amqp://127.0.0.1:${port}`,
  };
  const asked = run(process.execPath, [mainFile, 'doctor', '--port', '0', '--queue', 'rabbitmq'], { env });
  const { code, stdout } = await asked.then(
    () => ({ code: 0, stdout: '' }),
    (error: unknown) => error as { code: number; stdout: string }, // What execFile rejects with.
  );
  expect(code).toBe(1);
  for (const area of ['database', 'rabbitmq', 'redis node']) expect(stdout).toContain(`FAIL ${area}: `);
});

function fail(error: Error): void {
  throw error;
}
