/** `hustings backup`: the whole ledger in one file, while servers run. */
import type { Config } from '../config.ts';
import { writeDumpFile } from '../ledger/backup/dump-file.ts';
import { openSnapshot } from '../ledger/backup/write-dump.ts';
import { lookAtEmbeddedPostgres } from '../ledger/embedded/join.ts';
import { openDatabase, type LedgerOptions } from '../open-ledger.ts';

export type BackupRequest = { readonly file: string; readonly version: string };

/** Answers what to print. @throws {Error} one line, where there is no ledger or no room for the file */
export async function backup(
  config: Config,
  { file, version }: BackupRequest,
  options: LedgerOptions,
): Promise<string> {
  const database = await openDatabase(config, { ...options, joins: await hasServer(config) });
  try {
    const snapshot = await openSnapshot(database.connection);
    try {
      const { header, pollCount } = snapshot;
      const { bytes } = await writeDumpFile(file, { version, ...header }, snapshot.frames());
      return `${file} holds the ledger as of ${header.madeAt}: ${pollCount} polls, ${bytes} bytes. Keep it where nobody else can read it.`;
    } finally {
      await snapshot.close();
    }
  } finally {
    await database.close();
  }
}

/** Whether a server runs on the embedded database. Without one, the database is started for the backup. */
async function hasServer({ database, dataFolder }: Config): Promise<boolean> {
  if (database.kind === 'postgres') return false;
  const { clusterFolder, runs } = await lookAtEmbeddedPostgres(dataFolder);
  if (clusterFolder === null) throw new Error(`There is no database in ${dataFolder}, so there is nothing to back up.`);
  return runs;
}
