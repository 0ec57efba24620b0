/** `hustings restore`: a ledger from the file of a backup, into an empty place. */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../config.ts';
import { openDumpFile, type DumpFile } from '../ledger/backup/dump-file.ts';
import { readMigrations } from '../ledger/backup/ledger-tables.ts';
import { loadDump } from '../ledger/backup/load-dump.ts';
import { unlessSystemCode } from '../ledger/embedded/error.ts';
import { listMigrations, migrate } from '../ledger/migrate.ts';
import { findTallyMismatches } from '../ledger/tallies.ts';
import { syncFolder } from '../lib/sync-folder.ts';
import { openDatabase, type LedgerOptions } from '../open-ledger.ts';
import { toMismatchLines } from './verify.ts';

export type Restored = { readonly agree: boolean; readonly report: string };

/** Where the embedded database grows until it is whole. */
const growingName = 'restoring';

/**
 * Answers what to print, and whether every tally equals the count over what came back.
 * @throws {Error} one line; then nothing was restored
 */
export async function restore(config: Config, file: string, options: LedgerOptions): Promise<Restored> {
  const dump = await openDumpFile(file);
  await checkMigrations(dump, file);
  return config.database.kind === 'embedded'
    ? restoreEmbedded(config, dump, options)
    : restoreInto(config, dump, options);
}

async function checkMigrations({ header }: DumpFile, file: string): Promise<void> {
  const known = await listMigrations();
  if (header.migrations.every((name, index) => name === known[index])) return;
  throw new Error(
    `${file} was made by Hustings ${header.version}, which is newer than this one: restore it with that.`,
  );
}

/** The cluster gets its name only when everything is in it, so a server never starts on half of a ledger. */
async function restoreEmbedded(config: Config, dump: DumpFile, options: LedgerOptions): Promise<Restored> {
  const { dataFolder } = config;
  const growing = path.join(dataFolder, growingName);
  await checkFree(dataFolder);
  await clearLeftover(config, growing, options);
  await mkdir(growing, { recursive: true });
  try {
    const restored = await restoreInto({ ...config, dataFolder: growing }, dump, options);
    await checkFree(dataFolder);
    await rename(path.join(growing, 'postgres'), path.join(dataFolder, 'postgres'));
    await syncFolder(dataFolder);
    return restored;
  } finally {
    await removeFolder(growing);
  }
}

async function checkFree(dataFolder: string): Promise<void> {
  const entries = await readNames(dataFolder);
  if (!entries.includes('postgres')) return;
  throw new Error(
    `The folder ${dataFolder} holds a database already: restore into another one with --data, or move its folder postgres away.`,
  );
}

/** A restore that was killed may have left its database running. One that still runs is not ours to end: opening says so. */
async function clearLeftover(config: Config, growing: string, options: LedgerOptions): Promise<void> {
  const entries = await readNames(growing);
  if (entries.includes('postgres')) await (await openDatabase({ ...config, dataFolder: growing }, options)).close();
  await removeFolder(growing);
}

function readNames(folder: string): Promise<string[]> {
  return unlessSystemCode<string[], string[]>(['ENOENT'], [], () => readdir(folder));
}

async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 20 });
}

async function restoreInto(config: Config, dump: DumpFile, options: LedgerOptions): Promise<Restored> {
  const { log } = options;
  const { header } = dump;
  const lockTimeoutMs = config.migrationLockTimeoutMs;
  const database = await openDatabase(config, options);
  const { pool } = database;
  try {
    const run = await readMigrations(pool);
    const isOurs =
      run.length <= header.migrations.length && run.every((name, index) => name === header.migrations[index]);
    if (!isOurs) throw new Error('There is a ledger in this database already: restore into an empty one.');
    const countMax = header.migrations.length - run.length;
    if (countMax > 0) await migrate(pool, { lockTimeoutMs, log, countMax });
    const { rowCounts } = await loadDump(database.connection, dump);
    const migrated = await migrate(pool, { lockTimeoutMs, log });
    const mismatches = await findTallyMismatches(pool);
    const counts = `${rowCounts.get('polls') ?? 0} polls, ${rowCounts.get('ballots') ?? 0} ballots`;
    return {
      agree: mismatches.length === 0,
      report: [
        `The ledger is back as of ${header.madeAt}: ${counts}.`,
        ...(migrated.length === 0 ? [] : [`${migrated.length} newer migrations ran.`]),
        ...toMismatchLines(mismatches),
      ].join('\n'),
    };
  } finally {
    await database.close();
  }
}
