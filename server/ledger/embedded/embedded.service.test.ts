import { spawn } from 'node:child_process';
import { mkdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import {
  ask,
  askUntilAnswered,
  cleanUp,
  makeFolder,
  processesIn,
  readPostmasterPid,
  spawnOwner,
  until,
  type Owner,
} from './test-support.ts';
import { EmbeddedPostgresError, startEmbeddedPostgres, type EmbeddedPostgres } from './embedded.ts';
import { unlessSystemCode } from './error.ts';

const log = { info: () => {}, warn: () => {}, error: () => {} };

describe.skipIf(process.platform !== 'linux')('embedded PostgreSQL', () => {
  const started: (EmbeddedPostgres | Owner)[] = [];
  afterEach(async () => {
    for (const one of started.splice(0)) await one.stop();
    await cleanUp();
  });

  async function start(dataFolder: string, more = {}): Promise<EmbeddedPostgres> {
    const database = await startEmbeddedPostgres({ dataFolder, log, ...more });
    started.push(database);
    return database;
  }

  function startOwner(dataFolder: string): Owner {
    const owner = spawnOwner({ dataFolder });
    started.push(owner);
    return owner;
  }

  test('the first start makes a cluster with checksums that sorts alike everywhere', async () => {
    const folder = await makeFolder();
    const { connection, reused } = await start(folder);
    expect(reused).toBe(false);
    const rows = await ask(
      connection,
      `select current_database(), pg_encoding_to_char(encoding), datlocprovider, datlocale,
       current_setting('data_checksums'), current_setting('fsync'), current_setting('synchronous_commit'),
       current_setting('full_page_writes'), current_setting('listen_addresses')
       from pg_database where datname = current_database()`,
    );
    expect(rows).toEqual([['hustings', 'UTF8', 'b', 'C.UTF-8', 'on', 'on', 'on', 'on', '']]);
    expect((await stat(path.join(folder, 'postgres'))).mode & 0o777).toBe(0o700);
    const socket = await stat(path.join(connection.host, `.s.PGSQL.${connection.port}`));
    expect(socket.isSocket() && (socket.mode & 0o777) === 0o700).toBe(true);
  });

  test('a stopped server leaves no process and no socket, and the next start has its rows', async () => {
    const folder = await makeFolder();
    const first = await start(folder);
    await ask(first.connection, 'create table kept as select 42 as n');
    await Promise.all([first.stop(), first.stop()]);
    expect(await processesIn(folder)).toEqual([]);
    await expect(stat(path.join(folder, 'postgres/.s.PGSQL.5432'))).rejects.toThrow('ENOENT');
    await expect(stat(path.join(folder, 'postgres/postmaster.pid'))).rejects.toThrow('ENOENT');
    const second = await start(folder);
    expect(second.reused).toBe(false);
    expect(await ask(second.connection, 'select n from kept')).toEqual([[42]]);
  });

  test('a server that a killed process left behind is used again and stopped by its new owner', async () => {
    const folder = await makeFolder();
    const owner = startOwner(folder);
    await owner.waitFor('ready');
    const pid = await readPostmasterPid(folder);
    await owner.kill();
    const next = await start(folder);
    expect(next.reused).toBe(true);
    expect(await readPostmasterPid(folder)).toBe(pid);
    await next.stop();
    expect(await processesIn(folder)).toEqual([]);
  });

  test('Ctrl-C in the terminal of the owner does not reach the server', async () => {
    const folder = await makeFolder();
    const owner = startOwner(folder);
    await owner.waitFor('ready');
    const pid = await readPostmasterPid(folder);
    process.kill(-owner.pid, 'SIGINT');
    await until(async () => owner.child.signalCode !== null);
    expect((await start(folder)).reused).toBe(true);
    expect(await readPostmasterPid(folder)).toBe(pid);
  });

  test('a server left behind with other settings is started again with ours', async () => {
    const folder = await makeFolder();
    const owner = startOwner(folder);
    await owner.waitFor('ready');
    await owner.kill();
    const next = await start(folder, { settings: { work_mem: '5MB' } });
    expect(next.reused).toBe(false);
    expect(await ask(next.connection, 'show work_mem')).toEqual([['5MB']]);
  });

  test('a second Hustings on the same folder is refused, and the first goes on', async () => {
    const folder = await makeFolder();
    const first = startOwner(folder);
    const { connection } = await first.waitFor('ready');
    const refusal = await start(folder).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(EmbeddedPostgresError);
    expect(refusal).toMatchObject({
      code: 'folder_in_use',
      message: `another Hustings (process ${first.pid}) is using ${folder}; stop it or choose another folder with --data`,
    });
    expect(await ask(connection, 'select 1')).toEqual([[1]]);
  });

  test('of several that start at the same moment on an empty folder exactly one wins', async () => {
    const folder = await makeFolder();
    const owners = Array.from({ length: 4 }, () => startOwner(folder));
    const answers = await Promise.all(owners.map((owner) => owner.waitFor('ready', 'refused')));
    const refusals = answers.flatMap((answer) => (answer.type === 'refused' ? [answer.code] : []));
    expect(refusals).toEqual(['folder_in_use', 'folder_in_use', 'folder_in_use']);
  });

  test('after kill -9 of everything the next start recovers what was committed', async () => {
    const folder = await makeFolder();
    const owner = startOwner(folder);
    const { connection } = await owner.waitFor('ready');
    await ask(connection, 'create table kept as select generate_series(1, 10000) as n');
    const pids = await processesIn(folder);
    owner.child.kill('SIGKILL');
    // Some end by themselves as soon as the first is dead.
    for (const pid of pids) await unlessSystemCode(['ESRCH'], false, async () => process.kill(pid, 'SIGKILL'));
    const next = await start(folder);
    expect(next.reused).toBe(false);
    expect(await ask(next.connection, 'select count(*)::int from kept')).toEqual([[10_000]]);
  });

  test('a killed postmaster is started again at the same address, and the folder stays taken', async () => {
    const folder = await makeFolder();
    let restarts = 0;
    const { connection } = await start(folder, { onRestart: () => (restarts += 1) });
    await ask(connection, 'create table kept as select 42 as n');
    for (const expected of [1, 2]) {
      const pid = await readPostmasterPid(folder);
      process.kill(pid, 'SIGKILL');
      await until(async () => restarts === expected);
      expect(await askUntilAnswered(connection, 'select n from kept')).toEqual([[42]]);
      expect(await readPostmasterPid(folder)).not.toBe(pid);
    }
    const { code } = await startOwner(folder).waitFor('refused');
    expect(code).toBe('folder_in_use');
  });

  test('a server that restarts its own processes after a crash stays ours', async () => {
    const folder = await makeFolder();
    let restarts = 0;
    const { connection } = await start(folder, { onRestart: () => (restarts += 1) });
    const pid = await readPostmasterPid(folder);
    const client = new pg.Client(connection);
    client.on('error', () => {}); // The crash ends this connection.
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    process.kill(rows[0]?.pid ?? 0, 'SIGKILL');
    await until(async () => restarts === 1);
    expect(await readPostmasterPid(folder)).toBe(pid);
    expect((await startOwner(folder).waitFor('refused')).code).toBe('folder_in_use');
  });

  test('a stop while the server is away leaves no process', async () => {
    const folder = await makeFolder();
    const database = await start(folder);
    process.kill(await readPostmasterPid(folder), 'SIGKILL');
    await database.stop();
    await until(async () => (await processesIn(folder)).length === 0);
    expect(await processesIn(folder)).toEqual([]);
  });

  test('a takeover while the server was away is told, and the new owner is left alone', async () => {
    const folder = await makeFolder();
    const first = startOwner(folder);
    await first.waitFor('ready');
    process.kill(first.pid, 'SIGSTOP');
    const pid = await readPostmasterPid(folder);
    process.kill(pid, 'SIGKILL');
    // The dead server's number stays in use until its stopped parent has looked.
    const second = await start(folder);
    process.kill(first.pid, 'SIGCONT');
    expect((await first.waitFor('lost')).message).toContain(`process ${process.pid}`);
    await first.stop();
    expect(await ask(second.connection, 'select 1')).toEqual([[1]]);
  });

  test('a lock file that names a living process which is not PostgreSQL does not matter', async () => {
    const folder = await makeFolder();
    await (await start(folder)).stop();
    const cluster = path.join(folder, 'postgres');
    const { uid, gid } = await stat(cluster);
    const other = spawn('sleep', ['60'], process.getuid?.() === 0 ? { uid, gid } : {});
    const lock = `${other.pid}\n/somewhere/else\n1700000000\n5432\n.\n\n  1 2\nready   \n`;
    await writeFile(path.join(cluster, 'postmaster.pid'), lock);
    await writeFile(path.join(cluster, '.s.PGSQL.5432.lock'), lock);
    expect((await start(folder)).reused).toBe(false);
    expect(other.exitCode).toBeNull();
    other.kill();
  });

  test('an empty lock file, as a power cut leaves it, does not matter', async () => {
    const folder = await makeFolder();
    await (await start(folder)).stop();
    await writeFile(path.join(folder, 'postgres/postmaster.pid'), '');
    await writeFile(path.join(folder, 'postgres/.s.PGSQL.5432.lock'), '');
    expect((await start(folder)).reused).toBe(false);
  });

  test('a cluster of another major version is named together with ours', async () => {
    const folder = await makeFolder();
    await mkdir(path.join(folder, 'postgres'), { mode: 0o700 });
    await writeFile(path.join(folder, 'postgres/PG_VERSION'), '16\n');
    await expect(start(folder)).rejects.toMatchObject({
      code: 'other_version',
      message: expect.stringMatching(/^the database in .* PostgreSQL 16, .* PostgreSQL 18; [^\n]*$/),
    });
  });

  test('a folder with other files is not touched', async () => {
    const folder = await makeFolder();
    await mkdir(path.join(folder, 'postgres'));
    await writeFile(path.join(folder, 'postgres/letter.txt'), 'hello');
    await expect(start(folder)).rejects.toMatchObject({ code: 'folder_unusable' });
    expect(await readFile(path.join(folder, 'postgres/letter.txt'), 'utf8')).toBe('hello');
  });

  test('a server that cannot start is explained with the end of its log', async () => {
    const folder = await makeFolder();
    await expect(start(folder, { settings: { shared_buffers: 'many' } })).rejects.toMatchObject({
      code: 'start_failed',
      message: expect.stringContaining('invalid value for parameter "shared_buffers": "many"'),
    });
    expect(await processesIn(folder)).toEqual([]);
  });

  test('a log that has grown large is put aside at the next start', async () => {
    const folder = await makeFolder();
    await (await start(folder)).stop();
    await truncate(path.join(folder, 'postgres.log'), 11 * 1024 * 1024);
    await start(folder);
    expect((await stat(path.join(folder, 'postgres.log.old'))).size).toBe(11 * 1024 * 1024);
    expect((await stat(path.join(folder, 'postgres.log'))).size).toBeLessThan(10_000);
  });
});
