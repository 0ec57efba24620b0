import { once } from 'node:events';
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openAddress, type EmbeddedConnection } from './address.ts';
import { findPostgresBinaries } from './binaries.ts';
import { findClusterFolder, prepareCluster, type Cluster } from './cluster.ts';
import { EmbeddedPostgresError, toFolderError } from './error.ts';
import { takeFolderLock } from './folder-lock.ts';
import { stopPostmaster, type Postmaster } from './postmaster.ts';
import { toServerSettings } from './settings.ts';
import { startServer, type RunningServer, type StartPlan } from './start.ts';
import { chooseServerUser } from './user.ts';

export { EmbeddedPostgresError } from './error.ts';

/** The part of a pino logger that is used here. */
type Log = Record<'info' | 'warn' | 'error', (fields: object, message: string) => void>;

export type EmbeddedPostgresOptions = {
  /** Made if it is missing. The cluster is its folder `postgres`, the server's log `postgres.log`. */
  dataFolder: string;
  log: Log;
  /** What is under way during a start, in words for the operator. */
  onProgress?: ((text: string) => void) | undefined;
  /** The server was away and is back, and the folder is ours again. Callers reconnect by themselves. */
  onRestart?: (() => void) | undefined;
  /** Another Hustings took the folder while the server was away. We leave both alone; end this process. */
  onLost?: ((error: EmbeddedPostgresError) => void) | undefined;
  /** PostgreSQL settings that replace or complete ours. */
  settings?: Record<string, string> | undefined;
  /** Where root keeps a copy of binaries that the server's user cannot reach. */
  cacheFolder?: string | undefined;
};

export type EmbeddedPostgres = {
  /** Stays the same when the server is started again. */
  connection: EmbeddedConnection;
  /** A server that a killed process left behind was found and is used again. */
  reused: boolean;
  /**
   * Cuts all connections, ends the server and waits for its end; at most 20 s. Safe to call twice.
   *
   * @throws {EmbeddedPostgresError} `start_failed` if the server does not end.
   */
  stop(): Promise<void>;
};

/**
 * Runs PostgreSQL for this process alone, below `dataFolder`, out of reach from outside. The server
 * survives us if we are killed, and the next start uses it again. If it dies, it is started again
 * until `stop` is called.
 *
 * @throws {EmbeddedPostgresError}
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const abort = new AbortController();
  try {
    const plan = await planStart(options, abort.signal);
    const server = await startServer(plan).catch(async (error: unknown) => {
      await plan.address.close();
      throw error;
    });
    options.log.info({ pid: server.postmaster.pid, reused: server.reused }, 'database ready');
    const kept = keepServer(plan, server, options);
    // A second call waits for the first.
    let stopped: Promise<void> | undefined;
    const stop = async (): Promise<void> => {
      abort.abort();
      const last = await kept;
      if (last !== undefined) await stopPostmaster(plan.cluster, last);
      await plan.address.close();
    };
    return {
      connection: plan.address.connection,
      reused: server.reused,
      stop: () => (stopped ??= stop()),
    };
  } catch (error) {
    throw toFolderError(error, options.dataFolder);
  }
}

async function planStart(options: EmbeddedPostgresOptions, signal: AbortSignal): Promise<StartPlan> {
  const { dataFolder, cacheFolder = defaultCacheFolder, onProgress = () => {} } = options;
  const folder = await findClusterFolder(dataFolder);
  const serverUser = await chooseServerUser(folder, dataFolder);
  const cluster: Cluster = {
    folder,
    shownFolder: dataFolder,
    logFile: path.join(await realpath(dataFolder), 'postgres.log'),
    binaries: await findPostgresBinaries(serverUser, cacheFolder),
    serverUser,
  };
  await prepareCluster(cluster, onProgress);
  const address = await openAddress(folder);
  const settings = { ...toServerSettings(options.settings ?? {}), ...address.settings };
  const serverArguments = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return { cluster, address, serverArguments, onProgress, signal };
}

const defaultCacheFolder = process.platform === 'darwin' ? '/Library/Caches/hustings' : '/var/cache/hustings';

/**
 * Looks after the server until the plan's signal is aborted. Answers with the postmaster that is ours
 * to stop then, or with undefined if there is none.
 *
 * - *running*: we hold the lock. Its connection ends when the server or any of its processes dies, so
 *   it is all that is watched, for a server that we started and for one that we found.
 * - *returning*: the connection is gone. A start finds the server, which may only have restarted its
 *   own processes, or starts it. It is repeated at growing intervals for ever: a full disk or a lack
 *   of memory passes, and until then the callers see their connections fail.
 * - *lost*: another Hustings took the folder while we were returning. Nothing of it is ours any more.
 */
async function keepServer(
  plan: StartPlan,
  first: RunningServer,
  { log, onRestart, onLost }: EmbeddedPostgresOptions,
): Promise<Postmaster | undefined> {
  const aborted = once(plan.signal, 'abort');
  let server = first;
  for (;;) {
    await Promise.race([server.lock.lost, aborted]);
    if (plan.signal.aborted) return server.postmaster;
    log.warn({ pid: server.postmaster.pid }, 'database connection lost');
    try {
      const next = await returnServer(plan, log);
      if (next === undefined) return await keepIfOurs(plan, server.postmaster);
      server = next;
    } catch (error) {
      if (!isFolderInUse(error)) throw error;
      log.error({ err: error }, 'database taken by another process');
      onLost?.(error);
      return undefined;
    }
    log.warn({ pid: server.postmaster.pid, reused: server.reused }, 'database back');
    onRestart?.();
  }
}

/** Undefined if the signal ended it. @throws {EmbeddedPostgresError} `folder_in_use` */
async function returnServer(plan: StartPlan, log: Log): Promise<RunningServer | undefined> {
  const { signal } = plan;
  for (let waitMs = 50; !signal.aborted; waitMs = Math.min(waitMs * 2, waitMaxMs)) {
    try {
      return await startServer(plan);
    } catch (error) {
      if (signal.aborted) break;
      if (isFolderInUse(error)) throw error;
      log.error({ err: error, retryInMs: waitMs }, 'database does not come back');
    }
    await sleep(waitMs, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
  return undefined;
}

const waitMaxMs = 5_000;

/**
 * We are told to stop while the server restarts its own processes after a crash. It is still the one
 * we had, unless another Hustings took the lock in between.
 */
async function keepIfOurs({ cluster, address }: StartPlan, postmaster: Postmaster): Promise<Postmaster | undefined> {
  if (!(await postmaster.isAlive())) return undefined;
  try {
    await takeFolderLock(address.connection, cluster.shownFolder);
  } catch (error) {
    // A server that does not let us in does not let others in either.
    if (isFolderInUse(error)) return undefined;
  }
  return postmaster;
}

function isFolderInUse(error: unknown): error is EmbeddedPostgresError {
  return error instanceof EmbeddedPostgresError && error.code === 'folder_in_use';
}
