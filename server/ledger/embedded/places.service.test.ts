import { chmod, chown, lchown, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { unlessSystemCode } from './error.ts';
import {
  ask,
  cleanUp,
  copyProgram,
  makeFolder,
  processesIn,
  readPostmasterPid,
  spawnOwner,
  until,
  type Owner,
  type OwnerOptions,
} from './test-support.ts';

const isLinux = process.platform === 'linux';
const isRoot = process.getuid?.() === 0;
const nobody = { uid: 65_534, gid: 65_534 };

describe.skipIf(!isLinux)('where the embedded PostgreSQL lies', () => {
  const owners: Owner[] = [];
  afterEach(async () => {
    for (const owner of owners.splice(0)) await owner.stop();
    await cleanUp();
  });

  function start(options: OwnerOptions): Owner {
    const owner = spawnOwner(options);
    owners.push(owner);
    return owner;
  }

  test('a path that is too long for a socket and full of odd characters serves as well', async () => {
    const parts = ['a, "quoted" name', 'ein Ort für Stimmen', "it's $HOME; `x` %s \\n", 'x'.repeat(90)];
    const dataFolder = path.join(await makeFolder(), ...parts);
    const first = start({ dataFolder });
    const { connection } = await first.waitFor('ready');
    expect(connection.host.length).toBeLessThan(100);
    expect(await ask(connection, 'select 1')).toEqual([[1]]);
    await first.kill();
    const second = await start({ dataFolder }).waitFor('ready');
    expect(second.reused).toBe(true);
    expect(await ask(second.connection, 'select 1')).toEqual([[1]]);
  });

  test('an initdb that is cut off leaves nothing that is taken for a cluster', async () => {
    let dataFolder = await makeFolder();
    // On a busy machine an initdb may be over before the kill comes. Then this begins anew.
    while (!(await isCutOff(dataFolder, 'with initdb')) || !(await isCutOff(dataFolder, 'alone'))) {
      dataFolder = await makeFolder();
    }
    expect(await readdir(dataFolder)).not.toContain('postgres');
    await start({ dataFolder }).waitFor('ready');
    expect((await readdir(dataFolder)).sort()).toEqual(['postgres', 'postgres.log']);
  });

  /** Kills an owner while its initdb works, and that as well or not. Whether it had come no further. */
  async function isCutOff(dataFolder: string, way: 'with initdb' | 'alone'): Promise<boolean> {
    const owner = start({ dataFolder });
    await until(async () => {
      const entries = await readdir(dataFolder);
      if (entries.includes('postgres')) return true;
      const half = entries.find((name) => name.startsWith(`postgres.new-${owner.pid}-`));
      if (half === undefined) return undefined;
      const begun = path.join(dataFolder, half, 'global');
      return unlessSystemCode(['ENOENT'], undefined, () => stat(begun).then(() => true));
    });
    await owner.kill();
    for (const pid of way === 'alone' ? [] : await processesIn(dataFolder)) {
      await unlessSystemCode(['ESRCH'], false, async () => process.kill(pid, 'SIGKILL'));
    }
    return !(await readdir(dataFolder)).includes('postgres');
  }

  test.skipIf(!isRoot)(
    'root runs it from a repository and on a folder that the account of the server may not reach',
    async () => {
      const closed = await makeFolder();
      const cacheFolder = path.join(await makeOpenFolder(), 'cache');
      const program = await copyProgram(closed);
      const dataFolder = path.join(closed, 'data');
      const links = await removeLinks(program.packageFolder);
      const first = start({ program, dataFolder, cacheFolder });
      const { connection } = await first.waitFor('ready');
      expect(await ask(connection, 'select 1')).toEqual([[1]]);
      expect((await stat(closed)).mode & 0o777).toBe(0o700);
      expect(await stat(links[0] ?? '')).toBeDefined();

      const status = await readFile(`/proc/${await readPostmasterPid(dataFolder)}/status`, 'utf8');
      expect(/^Uid:\t(\d+)\t/m.exec(status)?.[1]).not.toBe('0');
      expect(/^Gid:\t(\d+)\t/m.exec(status)?.[1]).not.toBe('0');
      expect(/^Groups:(.*)$/m.exec(status)?.[1]?.trim()).toBe('');
      expect(/^CapEff:\t0+$/m.test(status)).toBe(true);

      await first.kill();
      const copies = await readdir(cacheFolder);
      expect(copies).toEqual([expect.stringMatching(/^postgres-\d[^/]*$/)]);
      const second = start({ program, dataFolder, cacheFolder });
      expect((await second.waitFor('ready')).reused).toBe(true);
      expect(await readdir(cacheFolder)).toEqual(copies);
    },
  );

  test.skipIf(!isRoot)('a cache that somebody else could have changed is not run', async () => {
    const closed = await makeFolder();
    const cacheFolder = await makeOpenFolder();
    const program = await copyProgram(closed);
    await chown(cacheFolder, nobody.uid, nobody.gid);
    const dataFolder = path.join(closed, 'data');
    const refusal = await start({ program, dataFolder, cacheFolder }).waitFor('refused');
    expect(refusal.code).toBe('binaries_unusable');
    expect(refusal.message).toContain(`${cacheFolder} is not a folder that only root can change`);
  });

  test.skipIf(!isRoot)('a cluster that root copied is given to the account of the server', async () => {
    const dataFolder = await makeFolder();
    const first = start({ dataFolder });
    await first.waitFor('ready');
    await first.stop();
    const cluster = path.join(dataFolder, 'postgres');
    for (const name of await readdir(cluster, { recursive: true })) {
      await lchown(path.join(cluster, name), 0, 0);
    }
    await chown(cluster, 0, 0);
    const { connection } = await start({ dataFolder }).waitFor('ready');
    expect(await ask(connection, 'select 1')).toEqual([[1]]);
  });

  test.skipIf(!isRoot)('an ordinary user runs it as itself with a program that root installed', async () => {
    const program = await copyProgram(await makeOpenFolder());
    const dataFolder = await makeFolder();
    await chown(dataFolder, nobody.uid, nobody.gid);
    const first = start({ program, dataFolder, ...nobody });
    const { connection } = await first.waitFor('ready');
    expect(await ask(connection, 'select 1')).toEqual([[1]]);
    expect((await stat(path.join(dataFolder, 'postgres'))).uid).toBe(nobody.uid);
    await first.kill();
    const second = start({ program, dataFolder, ...nobody });
    expect((await second.waitFor('ready')).reused).toBe(true);
    const third = await start({ program, dataFolder, ...nobody }).waitFor('refused');
    expect(third.message).toContain(`process ${second.pid}`);
    await second.stop();
    expect(await processesIn(dataFolder)).toEqual([]);
    // What an ordinary user began, root goes on with under the same account.
    await start({ program, dataFolder }).waitFor('ready');
    const status = await readFile(`/proc/${await readPostmasterPid(dataFolder)}/status`, 'utf8');
    expect(/^Uid:\t(\d+)\t/m.exec(status)?.[1]).toBe(String(nobody.uid));
  });

  test.skipIf(!isRoot)('a folder that an ordinary user may not use is named with a way out', async () => {
    const program = await copyProgram(await makeOpenFolder());
    const readOnly = path.join(await makeOpenFolder(), 'data');
    await mkdir(readOnly, { mode: 0o755 });
    const closed = await start({ program, dataFolder: readOnly, ...nobody }).waitFor('refused');
    expect(closed.code).toBe('folder_unusable');
    expect(closed.message).toMatch(/^cannot keep the database in .*EACCES.* --data$/);

    await mkdir(path.join(readOnly, 'postgres'), { mode: 0o700 });
    await writeFile(path.join(readOnly, 'postgres/PG_VERSION'), '18\n');
    const foreign = await start({ program, dataFolder: readOnly, ...nobody }).waitFor('refused');
    expect(foreign.code).toBe('folder_unusable');
    expect(foreign.message).toMatch(/belongs to user 0, and this process is user 65534; .* --data$/);
  });
});

/** As after `npm install --ignore-scripts`. Answers with what is missing then. */
async function removeLinks(packageFolder: string): Promise<string[]> {
  const entries = await readdir(path.join(packageFolder, 'native'), {
    recursive: true,
    withFileTypes: true,
  });
  const links = entries
    .filter((entry) => entry.isSymbolicLink())
    .map((entry) => path.join(entry.parentPath, entry.name));
  for (const link of links) await rm(link);
  return links;
}

/** A folder that everybody may enter, as a program of the system has it. */
async function makeOpenFolder(): Promise<string> {
  const folder = await makeFolder();
  await chmod(folder, 0o755);
  return folder;
}
