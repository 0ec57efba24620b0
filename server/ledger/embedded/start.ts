import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { EmbeddedAddress } from './address.ts';
import type { Cluster } from './cluster.ts';
import { EmbeddedPostgresError, toReason } from './error.ts';
import { takeFolderLock, type FolderLock } from './folder-lock.ts';
import {
  findPostmaster,
  hasSameCommandLine,
  readPostmasterFile,
  spawnPostmaster,
  stopPostmaster,
  type Postmaster,
  type PostmasterStart,
} from './postmaster.ts';
import { removeStaleLocks } from './stale-lock.ts';

/** Everything that a start needs, the first as well as one after a crash. */
export type StartPlan = {
  cluster: Cluster;
  address: EmbeddedAddress;
  serverArguments: readonly string[];
  onProgress: (text: string) => void;
  /** Ends a start that is under way. */
  signal: AbortSignal;
};

/** A server that answers and whose folder is ours. */
export type RunningServer = { postmaster: Postmaster; lock: FolderLock; reused: boolean };

/**
 * Finds the server that a killed Hustings left behind, or starts one, and takes the folder's lock.
 * Of several that do this at once PostgreSQL lets one server start, and the lock lets one of us use it.
 *
 * @throws {EmbeddedPostgresError} `folder_in_use`, `start_failed`
 * @throws the signal's reason after `signal` is aborted; a server that we started is stopped then.
 */
export async function startServer(plan: StartPlan): Promise<RunningServer> {
  const { cluster, signal } = plan;
  const startedMs = performance.now();
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    const server = (await findServer(plan)) ?? (await startOwnServer(plan));
    if (server !== undefined) return server;
    if (performance.now() - startedMs > patienceMs) {
      throw new EmbeddedPostgresError(
        'start_failed',
        `the database in ${cluster.shownFolder} does not start or does not answer; ${cluster.logFile} may say why`,
      );
    }
    await sleep(Math.min(20 * attempt, retryIntervalMaxMs));
  }
}

/**
 * Backends of a killed server work on what they were given before they notice, and a new one cannot
 * start before the last of them is gone.
 */
const patienceMs = 60_000;
const retryIntervalMaxMs = 500;

async function findServer(plan: StartPlan): Promise<RunningServer | undefined> {
  const { cluster, serverArguments, onProgress } = plan;
  const postmaster = await findPostmaster(cluster.folder);
  if (postmaster === undefined || !(await waitUntilReady(plan, postmaster))) return undefined;
  const lock = await tryFolderLock(plan);
  if (lock === undefined) return undefined;
  const same = await hasSameCommandLine(cluster, serverArguments);
  if (same && lock.postmasterPid === postmaster.pid) return { postmaster, lock, reused: true };
  await lock.release();
  if (lock.postmasterPid !== postmaster.pid) return undefined;
  // An older Hustings, or one with other settings, left it behind.
  onProgress('Starting the database again with new settings');
  await stopPostmaster(cluster, postmaster);
  return undefined;
}

async function startOwnServer(plan: StartPlan): Promise<RunningServer | undefined> {
  const { cluster, serverArguments, onProgress, signal } = plan;
  // It may be there already and only have gone while we looked.
  if ((await findPostmaster(cluster.folder)) !== undefined) return undefined;
  onProgress('Starting the database');
  const postmaster = await spawnPostmaster(cluster, serverArguments);
  try {
    if (!(await waitUntilReady(plan, postmaster))) {
      signal.throwIfAborted();
      await explainEnd(cluster, postmaster);
      return undefined;
    }
    const lock = await tryFolderLock(plan);
    return lock && { postmaster, lock, reused: false };
  } catch (error) {
    // In the hands of another Hustings it goes on; otherwise nobody would look after it.
    const taken = error instanceof EmbeddedPostgresError && error.code === 'folder_in_use';
    if (!taken) await stopPostmaster(cluster, postmaster);
    throw error;
  }
}

/** False if the server ended, or if we are told to stop waiting. Recovery may take its time. */
async function waitUntilReady(plan: StartPlan, postmaster: Postmaster): Promise<boolean> {
  const { cluster, onProgress, signal } = plan;
  const startedMs = performance.now();
  let told = false;
  while (!signal.aborted && (await postmaster.isAlive())) {
    const file = await readPostmasterFile(cluster.folder);
    if (file?.pid === postmaster.pid && file.status === 'ready') return true;
    if (!told && performance.now() - startedMs > 1_000) {
      told = true;
      onProgress('Waiting for the database to recover');
    }
    await sleep(5);
  }
  return false;
}

/** Undefined if the server is not there any more, or not ready after all. */
async function tryFolderLock(plan: StartPlan): Promise<FolderLock | undefined> {
  const { shownFolder } = plan.cluster;
  try {
    return await takeFolderLock(plan.address.connection, shownFolder);
  } catch (error) {
    if (error instanceof EmbeddedPostgresError) throw error;
    // Classes 08 (connection), 53 (too many of them) and 57 (starting, ending) pass by themselves.
    if (error instanceof pg.DatabaseError && !/^(08|53|57)/.test(error.code ?? '')) {
      const message = `the database in ${shownFolder} refuses to be used: ${error.message}`;
      throw new EmbeddedPostgresError('start_failed', message, { cause: error });
    }
    return undefined;
  }
}

/** Returns if the server ended for a reason that passes or that was just removed. */
async function explainEnd(cluster: Cluster, postmaster: PostmasterStart): Promise<void> {
  const said = await postmaster.readLog();
  if (/lock file "[^"]*" (already exists|is empty)/.test(said)) {
    return removeStaleLocks(cluster.folder);
  }
  // The killed server's last processes are not gone yet.
  if (/pre-existing shared memory block/.test(said)) return;
  const reason = toReason(said) ?? 'PostgreSQL ended at once';
  const tail = said.trimEnd().split('\n').slice(-8).join('\n');
  throw new EmbeddedPostgresError(
    'start_failed',
    `the database in ${cluster.shownFolder} does not start: ${reason}; ${cluster.logFile} ends with\n${tail}`,
  );
}
