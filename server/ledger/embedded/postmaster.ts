import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Cluster } from './cluster.ts';
import { EmbeddedPostgresError, unlessSystemCode } from './error.ts';
import { openServerLog, readServerLog } from './server-log.ts';
import { toOwnFolder, toServerEnvironment } from './user.ts';

const run = promisify(execFile);

/** The parent process of a PostgreSQL server. It may or may not be our child. */
export type Postmaster = { pid: number; isAlive(): Promise<boolean> };

/** What `postmaster.pid` in the cluster folder says. It outlives a server that was killed. */
export type PostmasterFile = { text: string; pid: number; port: number; status: string };

export async function readPostmasterFile(folder: string): Promise<PostmasterFile | undefined> {
  const file = path.join(folder, 'postmaster.pid');
  const text = await unlessSystemCode(['ENOENT'], undefined, () => readFile(file, 'utf8'));
  if (text === undefined) return undefined;
  const [pid, , , port, , , , status = ''] = text.split('\n');
  // A server in single-user mode writes its number with a minus sign.
  return { text, pid: Math.abs(Number(pid)), port: Number(port), status: status.trim() };
}

/** The server that runs on this cluster folder now, whoever started it. */
export async function findPostmaster(folder: string): Promise<(Postmaster & { port: number }) | undefined> {
  const file = await readPostmasterFile(folder);
  if (file === undefined || !(await isPostgresOn(folder, file.pid))) return undefined;
  return { pid: file.pid, port: file.port, isAlive: () => isPostgresOn(folder, file.pid) };
}

/**
 * Whether this process is alive, a PostgreSQL, and at work in this folder. The number alone proves
 * nothing: after a power cut or in a new container it may belong to any program.
 */
export async function isPostgresOn(folder: string, pid: number): Promise<boolean> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  if (process.platform !== 'linux') return isPostgres(pid);
  // EACCES: a process of another user. Only ours can be at work in a folder of mode 0700.
  return unlessSystemCode(['ENOENT', 'ESRCH', 'EACCES'], false, async () => {
    const [name, standing, cluster] = await Promise.all([
      readFile(`/proc/${pid}/comm`, 'utf8'),
      stat(`/proc/${pid}/cwd`),
      stat(folder),
    ]);
    const sameFolder = standing.dev === cluster.dev && standing.ino === cluster.ino;
    return name.trim() === 'postgres' && sameFolder;
  });
}

/** Without /proc the folder of a process is not known; that the server answers there tells the rest. */
async function isPostgres(pid: number): Promise<boolean> {
  const [command, ...args] =
    process.platform === 'win32'
      ? ['tasklist', '/FI', `PID eq ${pid}`, '/FO', 'CSV', '/NH']
      : ['ps', '-o', 'stat=,comm=', '-p', String(pid)];
  try {
    const { stdout } = await run(command, args);
    return stdout.includes('postgres') && !stdout.trimStart().startsWith('Z');
  } catch (error) {
    // `ps` ends with 1 when there is no such process.
    if (error instanceof Error && 'code' in error && error.code === 1) return false;
    throw error;
  }
}

export type PostmasterStart = Postmaster & {
  /** What this server has written to its log up to now. */
  readLog(): Promise<string>;
};

/**
 * Starts the server in its own session, so that Ctrl-C in the terminal reaches us and not it.
 *
 * @throws {EmbeddedPostgresError} `start_failed` if there is no such process afterwards. A server
 * that ends at once is not an error here.
 */
export async function spawnPostmaster(cluster: Cluster, serverArguments: readonly string[]): Promise<PostmasterStart> {
  const log = await openServerLog(cluster.logFile);
  try {
    const readLog = (): Promise<string> => readServerLog(cluster.logFile, log.offset);
    if (process.platform === 'win32') {
      return { ...(await startWithPgCtl(cluster, serverArguments)), readLog };
    }
    const child = spawn(cluster.binaries.postgres, toCommandLine(cluster, serverArguments), {
      cwd: cluster.folder,
      env: toServerEnvironment(),
      stdio: ['ignore', log.handle.fd, log.handle.fd],
      detached: true,
      ...cluster.serverUser,
    });
    await once(child, 'spawn');
    child.unref();
    const { pid = 0 } = child;
    const isAlive = async (): Promise<boolean> => child.exitCode === null && child.signalCode === null;
    return { pid, isAlive, readLog };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `cannot start PostgreSQL for ${cluster.shownFolder}: ${reason}`;
    throw new EmbeddedPostgresError('start_failed', message, { cause });
  } finally {
    await log.handle.close();
  }
}

function toCommandLine(cluster: Cluster, serverArguments: readonly string[]): string[] {
  return ['-D', toOwnFolder(cluster.serverUser, cluster.folder), ...serverArguments];
}

/** On Windows only pg_ctl can take an administrator's rights away, without which the server ends. */
async function startWithPgCtl(cluster: Cluster, serverArguments: readonly string[]): Promise<Postmaster> {
  const options = serverArguments.map((argument) => `"${argument}"`).join(' ');
  const { pgCtl } = cluster.binaries;
  await run(pgCtl, ['start', '-w', '-D', cluster.folder, '-l', cluster.logFile, '-o', options]);
  const found = await findPostmaster(cluster.folder);
  if (found === undefined) throw new Error('pg_ctl reported a server that is not there');
  return found;
}

/** Whether a running server was started from these binaries with these settings. */
export async function hasSameCommandLine(cluster: Cluster, serverArguments: readonly string[]): Promise<boolean> {
  const file = path.join(cluster.folder, 'postmaster.opts');
  const text = await unlessSystemCode(['ENOENT'], '', () => readFile(file, 'utf8'));
  const quoted = toCommandLine(cluster, serverArguments).map((argument) => `"${argument}"`);
  const wanted = [cluster.binaries.postgres, ...quoted].join(' ');
  // On Windows the server writes its own path with slashes.
  return text.trimEnd().replaceAll('\\', '/') === wanted.replaceAll('\\', '/');
}

/**
 * A fast shutdown: sessions are cut, everything is written, the server ends. After 10 s it is told to
 * end at once, which the next start makes good from its log.
 *
 * @throws {EmbeddedPostgresError} `start_failed` if it is still there after 10 s more.
 */
export async function stopPostmaster(cluster: Cluster, postmaster: Postmaster): Promise<void> {
  for (const signal of ['INT', 'QUIT'] as const) {
    if (!(await postmaster.isAlive())) return;
    await signalPostmaster(cluster, postmaster.pid, signal);
    const deadlineMs = performance.now() + stopPatienceMs;
    while (performance.now() < deadlineMs) {
      if (!(await postmaster.isAlive())) return;
      await sleep(10);
    }
  }
  throw new EmbeddedPostgresError(
    'start_failed',
    `PostgreSQL (process ${postmaster.pid}) for ${cluster.shownFolder} does not end`,
  );
}

const stopPatienceMs = 10_000;

/** Windows has no signals, but PostgreSQL has its own for it. */
async function signalPostmaster(cluster: Cluster, pid: number, signal: 'INT' | 'QUIT'): Promise<void> {
  if (process.platform === 'win32') {
    await run(cluster.binaries.pgCtl, ['kill', signal, String(pid)]);
    return;
  }
  await unlessSystemCode(['ESRCH'], false, async () => process.kill(pid, `SIG${signal}`));
}
