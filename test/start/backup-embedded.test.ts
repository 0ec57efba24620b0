/** `hustings backup` and `hustings restore` as programs, on the embedded database. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { findFreePort } from '../../scripts/services/ports.ts';
import { cleanUp, makeFolder, processesIn, until } from '../../server/ledger/embedded/test-support.ts';
import { kill, mainFile, startProgram, type ServerProgram } from '../crash/program.ts';
import { createPoll, get, post } from '../support/http.ts';

const run = promisify(execFile);

afterEach(cleanUp);

type Said = { readonly status: number; readonly said: string };

/** Without the variables of whoever runs the tests. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const { DATABASE_URL: _database, POSTGRES_HOST: _host, ...env } = process.env;
  return env;
}

async function hustings(...args: string[]): Promise<Said> {
  try {
    const { stdout } = await run(process.execPath, [mainFile, ...args], { env: ownEnvironment() });
    return { status: 0, said: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }; // What execFile rejects with.
    return { status: code, said: stdout + stderr };
  }
}

/** A server that was killed after one ballot, and the backup that was made while it ran. */
async function makeBackup(folder: string): Promise<{ file: string; manageKey: string }> {
  const [data, file] = [path.join(folder, 'data'), path.join(folder, 'ledger.backup')];
  const server = await startProgram(data, await findFreePort());
  const { manageKey } = await createPoll(server.url, { slug: 'drinks' });
  await post(`${server.url}/api/v1/polls/drinks/ballots`, { selections: ['1'], userId: 'alice' });
  expect(await hustings('backup', file, '--data', data)).toMatchObject({ status: 0 });
  // The server that was joined goes on.
  expect(await get(`${server.url}/readyz`)).toMatchObject({ status: 200 });
  await end(server);
  return { file, manageKey };
}

async function end({ child, ended }: ServerProgram): Promise<void> {
  child.kill('SIGTERM');
  await ended;
}

test('a backup of a running server goes into another folder, and a server there goes on with it', async () => {
  const folder = await makeFolder();
  const { file, manageKey } = await makeBackup(folder);
  const data = path.join(folder, 'restored');
  const restored = await hustings('restore', file, '--data', data);
  expect(restored).toMatchObject({ status: 0 });
  expect(restored.said).toContain('Every tally equals the count over the ledger.');
  expect(await readdir(data)).toEqual(['postgres']);
  expect(await processesIn(data)).toEqual([]);

  const server = await startProgram(data, await findFreePort());
  const ballots = `${server.url}/api/v1/polls/drinks/ballots`;
  expect(await post(ballots, { selections: ['2'], userId: 'alice' })).toMatchObject({ status: 409 });
  expect(await post(ballots, { selections: ['2'], userId: 'bob' })).toMatchObject({ status: 201 });
  const health = await get(`${server.url}/api/v1/polls/drinks/health`, { 'manage-key': manageKey });
  expect(health).toMatchObject({ status: 200 });
  await end(server);
  // Without a server the database is started for the backup, and ended.
  expect(await hustings('backup', file, '--data', data)).toMatchObject({ status: 0 });
  expect(await processesIn(data)).toEqual([]);
});

test('a folder that holds a database is refused and stays as it was', async () => {
  const folder = await makeFolder();
  const { file } = await makeBackup(folder);
  const data = path.join(folder, 'data');
  const before = await readFile(path.join(data, 'postgres', 'global', 'pg_control'));
  const refused = await hustings('restore', file, '--data', data);
  expect(refused).toMatchObject({ status: 1 });
  expect(refused.said).toContain('holds a database already');
  expect(await readFile(path.join(data, 'postgres', 'global', 'pg_control'))).toEqual(before);
});

test('a damaged file leaves no folder', async () => {
  const folder = await makeFolder();
  const { file } = await makeBackup(folder);
  await writeFile(file, (await readFile(file)).subarray(0, -1));
  const data = path.join(folder, 'restored');
  expect(await hustings('restore', file, '--data', data)).toMatchObject({ status: 1 });
  expect(existsSync(data)).toBe(false);
});

/** Kills a restore while its database runs. Whether it had come no further. */
async function isCutOff(file: string, data: string): Promise<boolean> {
  const killed = spawn(process.execPath, [mainFile, 'restore', file, '--data', data], { env: ownEnvironment() });
  const ended = once(killed, 'exit');
  const isRunning = (): boolean => existsSync(path.join(data, 'restoring', 'postgres', 'postmaster.pid'));
  await until(async () => isRunning() || killed.exitCode !== null);
  kill(killed.pid ?? 0);
  await ended;
  return killed.signalCode === 'SIGKILL' && !existsSync(path.join(data, 'postgres'));
}

test('a restore that was killed leaves no database that a server would take for one, and the next restore goes through', async () => {
  const folder = await makeFolder();
  const { file } = await makeBackup(folder);
  let data = path.join(folder, 'restored');
  // On a busy machine a restore may be over before the kill comes. Then another one is killed.
  for (let tries = 2; !(await isCutOff(file, data)); tries += 1) data = path.join(folder, `restored-${tries}`);
  expect(existsSync(path.join(data, 'postgres'))).toBe(false);
  expect(await hustings('restore', file, '--data', data)).toMatchObject({ status: 0 });
  expect(await readdir(data)).toEqual(['postgres']);
  expect(await processesIn(data)).toEqual([]);
});

test('a folder without a database has nothing to back up, and is not made', async () => {
  const folder = await makeFolder();
  const data = path.join(folder, 'none');
  const { status, said } = await hustings('backup', path.join(folder, 'x'), '--data', data);
  expect({ status, said }).toMatchObject({ status: 1, said: expect.stringContaining('nothing to back up') as string });
  expect(await readdir(folder)).toEqual([]);
});
