/** What the doctor looks at on this machine: open files, and the disk of the data folder. */
import { open, readFile, rm, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../../config.ts';
import { fail, ok, toMedian, toReason, toShownMs, warn, type Finding } from './finding.ts';

const mebibyte = 1_048_576;
const freeMin = 128 * mebibyte;
const freeWanted = 2_048 * mebibyte;
/** Besides live connections: requests, the database, brokers, files. */
const otherFiles = 1_000;
const syncs = 10;
const syncBytes = 8_192;
const syncMsMax = 20;

export async function checkMachine(config: Config): Promise<Finding[]> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => null);
  const files = limits === null ? [] : [toFilesFinding(limits, config.socketsMax)];
  return config.database.kind === 'embedded' ? [...files, ...(await checkDisk(config.dataFolder))] : files;
}

/** Of the text of /proc/self/limits. Node takes the hard limit for its own by itself. */
export function toFilesFinding(limits: string, socketsMax: number): Finding {
  const hard = /^Max open files\s+\S+\s+(\S+)/mu.exec(limits)?.[1] ?? 'unlimited';
  const needed = socketsMax + otherFiles;
  if (hard === 'unlimited' || Number(hard) >= needed)
    return ok('open files', `${hard} allowed, ${needed} needed for --sockets-max ${socketsMax}.`);
  return warn(
    'open files',
    `${hard} allowed, and --sockets-max ${socketsMax} needs ${needed}. Raise the limit ("ulimit -Hn", LimitNOFILE= of systemd, --ulimit nofile= of a container) or lower --sockets-max to ${Math.max(1, Number(hard) - otherFiles)}.`,
  );
}

async function checkDisk(dataFolder: string): Promise<Finding[]> {
  const folder = await findExisting(path.resolve(dataFolder));
  const { bavail, bsize } = await statfs(folder);
  const findings = [toSpaceFinding(bavail * bsize, dataFolder)];
  if (folder !== path.resolve(dataFolder)) return findings;
  return [...findings, await measureSyncs(folder, dataFolder)];
}

export function toSpaceFinding(free: number, shown: string): Finding {
  const text = `${Math.floor(free / mebibyte)} MB are free where ${shown} is`;
  if (free < freeMin) return fail('disk', `${text}. Make room: without it ballots are refused.`);
  if (free < freeWanted)
    return warn('disk', `${text}. The log of the database alone takes up to 4 GB while many vote: make room.`);
  return ok('disk', `${text}.`);
}

async function findExisting(folder: string): Promise<string> {
  const found = await stat(folder).catch(() => null);
  return found === null && folder !== path.dirname(folder) ? findExisting(path.dirname(folder)) : folder;
}

async function measureSyncs(folder: string, shown: string): Promise<Finding> {
  const file = path.join(folder, `.doctor-${process.pid}`);
  try {
    const ms = await timeSyncs(file);
    const text = `a write to ${shown} is on the disk after ${toShownMs(ms)} (the middle of ${syncs})`;
    return ms > syncMsMax
      ? warn('disk', `${text}. Every batch of ballots waits for that: use a faster disk.`)
      : ok('disk', `${text}.`);
  } catch (error) {
    return fail(
      'disk',
      `${shown} cannot be written: ${toReason(error)}. Change its owner, or name another with --data.`,
    );
  } finally {
    await rm(file, { force: true });
  }
}

async function timeSyncs(file: string): Promise<number> {
  const handle = await open(file, 'wx', 0o600);
  try {
    const taken: number[] = [];
    for (let count = 0; count < syncs; count += 1) {
      const startedMs = performance.now();
      await handle.write(Buffer.alloc(syncBytes), 0, syncBytes, count * syncBytes);
      await handle.datasync();
      taken.push(performance.now() - startedMs);
    }
    return toMedian(taken);
  } finally {
    await handle.close();
  }
}
