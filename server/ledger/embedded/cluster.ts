import { randomBytes } from 'node:crypto';
import { chown, mkdir, open, readFile, readdir, realpath, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { PostgresBinaries } from './binaries.ts';
import { EmbeddedPostgresError, systemCode, unlessSystemCode } from './error.ts';
import { runInitdb } from './initdb.ts';
import type { ServerUser } from './user.ts';

/** What it takes to run PostgreSQL on one data folder. */
export type Cluster = {
  /** Real path of the cluster, which PostgreSQL calls its data directory. */
  folder: string;
  /** The data folder as the operator wrote it. */
  shownFolder: string;
  logFile: string;
  binaries: PostgresBinaries;
  serverUser: ServerUser;
};

/** Makes the data folder if it is missing, and says where in it the cluster is. */
export async function findClusterFolder(dataFolder: string): Promise<string> {
  await mkdir(dataFolder, { recursive: true });
  const folder = path.join(await realpath(dataFolder), 'postgres');
  return unlessSystemCode(['ENOENT'], folder, () => realpath(folder));
}

/**
 * Makes the cluster if there is none. It is made beside its place and renamed when it is whole and
 * on the disk, so a start that was killed half way leaves nothing that looks like a cluster.
 *
 * @throws {EmbeddedPostgresError} `folder_unusable`, `other_version`, `start_failed`
 */
export async function prepareCluster(cluster: Cluster, onProgress: (text: string) => void): Promise<void> {
  await removeLeftovers(cluster.folder);
  const version = await readClusterMajor(cluster.folder);
  if (version !== undefined) return checkVersion(cluster, version);
  await checkFree(cluster);
  onProgress('Making the database');
  const fresh = `${cluster.folder}.new-${process.pid}-${Date.now()}-${randomBytes(4).toString('hex')}`;
  try {
    await mkdir(fresh, { mode: 0o700 });
    const user = cluster.serverUser;
    if (user !== undefined) await chown(fresh, user.uid, user.gid);
    await runInitdb(cluster.binaries.initdb, fresh, user, cluster.shownFolder);
    // Another start may have been faster; then its cluster is the one.
    await unlessSystemCode(['EEXIST', 'ENOTEMPTY'], undefined, () => rename(fresh, cluster.folder));
    await syncFolder(path.dirname(cluster.folder));
  } finally {
    await removeTree(fresh);
  }
}

/** Undefined if there is no cluster. */
function readClusterMajor(folder: string): Promise<string | undefined> {
  return unlessSystemCode(['ENOENT'], undefined, async () =>
    (await readFile(path.join(folder, 'PG_VERSION'), 'utf8')).trim(),
  );
}

function checkVersion({ shownFolder, binaries }: Cluster, version: string): void {
  if (version === binaries.major) return;
  throw new EmbeddedPostgresError(
    'other_version',
    `the database in ${shownFolder} was made by PostgreSQL ${version}, and this Hustings brings PostgreSQL ${binaries.major}; start the Hustings that made it, or bring the data over with pg_dump of PostgreSQL ${version} into a new folder (--data)`,
  );
}

async function checkFree({ folder, shownFolder }: Cluster): Promise<void> {
  const entries = await unlessSystemCode(['ENOENT'], [], () => readdir(folder));
  // An empty folder is replaced by the rename.
  if (entries.length === 0) return;
  throw new EmbeddedPostgresError(
    'folder_unusable',
    `${path.join(shownFolder, 'postgres')} holds files but no PostgreSQL cluster; move it away or choose another folder with --data`,
  );
}

/**
 * Removes clusters that a killed start left half made. One that another process is making just now
 * is recognised by the living process in its name; in a container the numbers repeat, so one with our
 * own number that is older than we are is a leftover as well.
 */
async function removeLeftovers(clusterFolder: string): Promise<void> {
  const parent = path.dirname(clusterFolder);
  const prefix = `${path.basename(clusterFolder)}.new-`;
  for (const entry of await readdir(parent)) {
    if (!entry.startsWith(prefix)) continue;
    const [pid = 0, madeAtMs = 0] = entry.slice(prefix.length).split('-').map(Number);
    const beingMade = pid === process.pid ? madeAtMs >= performance.timeOrigin : isProcess(pid, madeAtMs);
    if (!beingMade) await removeTree(path.join(parent, entry));
  }
}

const initdbDurationMaxMs = 3_600_000;

function isProcess(pid: number, madeAtMs: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || Date.now() - madeAtMs > initdbDurationMaxMs) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Another user's process exists as well, but we may not signal it.
    return systemCode(error) === 'EPERM';
  }
}

/** Tries again while an initdb that lost its parent still puts files there. */
async function removeTree(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 20 });
}

/** Makes the rename last. Windows cannot open a folder and does this by itself. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
