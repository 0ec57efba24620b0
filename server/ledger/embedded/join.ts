/** The embedded database of a Hustings that runs already, for a second process beside it. */
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { openAddress, type EmbeddedConnection } from './address.ts';
import { findPostmaster } from './postmaster.ts';

export type JoinedPostgres = { readonly connection: EmbeddedConnection; stop(): Promise<void> };

/** The server that was found stays the other process's: it ends when that does. @throws {Error} one line, where none runs */
export async function joinEmbeddedPostgres(dataFolder: string): Promise<JoinedPostgres> {
  const { clusterFolder, runs } = await lookAtEmbeddedPostgres(dataFolder);
  if (clusterFolder === null || !runs) {
    throw new Error(
      `No Hustings runs on the data folder ${dataFolder}. Start that first, or name a database with DATABASE_URL.`,
    );
  }
  const { connection, close } = await openAddress(clusterFolder);
  return { connection, stop: close };
}

/** The folder of the cluster, null where there is none, and whether a server runs on it. Changes nothing. */
export async function lookAtEmbeddedPostgres(
  dataFolder: string,
): Promise<{ readonly clusterFolder: string | null; readonly runs: boolean }> {
  const clusterFolder = await realpath(path.join(dataFolder, 'postgres')).catch(() => null);
  const running = clusterFolder === null ? undefined : await findPostmaster(clusterFolder);
  return { clusterFolder, runs: running !== undefined };
}
