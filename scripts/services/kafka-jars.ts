/** Kafka's jars, fetched once from Maven Central and kept outside of this repository. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { access, constants, copyFile, lstat, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from './installed.ts';
import { isCode } from './system-code.ts';

const run = promisify(execFile);

const pomFile = path.join(import.meta.dirname, 'kafka', 'pom.xml');
const pom = readFileSync(pomFile, 'utf8');
export const kafkaVersion = /<kafka\.version>([^<]+)</u.exec(pom)?.[1] ?? 'unknown';
/** Changes with all that is fetched. */
const folderName = `kafka-${kafkaVersion}-${createHash('sha256').update(pom).digest('hex').slice(0, 8)}`;
const fetchMsMax = 600_000;
const outputCharsMax = 2_000;

export function hasKafkaJars(): boolean {
  return cacheFolders().some((folder) => existsSync(path.join(folder, folderName)));
}

export function findMaven(): string | null {
  return findProgram(['mvn']);
}

/** The folder that holds them. Maven is asked only where it is not there yet. @throws {Error} when they cannot be had */
export async function provideKafkaJars(): Promise<string> {
  for (const folder of cacheFolders()) {
    const place = path.join(folder, folderName);
    if (await isOurs(folder)) return existsSync(place) ? place : fetchJars(place);
  }
  throw new Error(`Kafka's jars have no place: none of ${cacheFolders().join(', ')} can be written to.`);
}

function cacheFolders(): string[] {
  const own = process.env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache');
  const shared = path.join(os.tmpdir(), `hustings-cache-${process.getuid?.() ?? 'user'}`);
  return [path.join(own, 'hustings'), shared];
}

/** Whether the folder is there, or can be made, and nobody else could have put jars into it that we then run. */
async function isOurs(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await access(folder, constants.W_OK);
    const { uid } = await lstat(folder);
    return process.getuid === undefined || uid === process.getuid();
  } catch (error) {
    if (isCode(error, 'EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'EEXIST')) return false;
    throw error;
  }
}

/** Beside their place, and renamed when they are whole: half of them is never taken for all. */
async function fetchJars(place: string): Promise<string> {
  process.stderr.write(`Fetching Kafka from Maven Central into ${place} ...\n`);
  const staging = await mkdtemp(`${place}.new-`);
  try {
    await copyFile(pomFile, path.join(staging, 'pom.xml'));
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${path.join(staging, 'jars')}`];
    await run(findMaven() ?? 'mvn', ['--batch-mode', '--quiet', ...goal], { cwd: staging, timeout: fetchMsMax });
    await rename(path.join(staging, 'jars'), place);
  } catch (error) {
    // Another run may have been faster; its jars are as good.
    if (isCode(error, 'EEXIST', 'ENOTEMPTY')) return place;
    throw new Error(`Maven could not fetch Kafka: ${outputOf(error)}`, { cause: error });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return place;
}

/** Maven tells its errors on the standard output. */
function outputOf(error: unknown): string {
  const said = error instanceof Error && 'stdout' in error ? String(error.stdout).trim() : '';
  return said === '' ? String(error) : said.slice(0, outputCharsMax);
}
