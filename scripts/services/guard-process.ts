/**
 * The program behind guard.ts: it reads orders, one JSON array a line, until its input ends. If the last order was not
 * `dismiss`, whoever gave them was killed: then what is on the list is ended, by number, and the folders are removed.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

export type GuardOrder =
  | ['watch' | 'forget', pid: number]
  | ['watch container' | 'forget container', name: string]
  | ['postmaster' | 'remove', folder: string]
  | ['dismiss'];

/** A PostgreSQL that is killed with -9 leaves shared memory behind; told to quit it ends at once and leaves none. */
const quitMsMax = 5_000;
const appearMsMax = 500;
const checkMs = 20;

if (import.meta.main) await guard();

async function guard(): Promise<void> {
  const groups = new Set<number>();
  const containers = new Set<string>();
  const clusters = new Set<string>();
  const folders = new Set<string>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  for await (const line of createInterface({ input: process.stdin })) {
    const [verb, subject] = JSON.parse(line) as GuardOrder; // Written by guard.ts and nobody else.
    if (verb === 'watch') groups.add(subject);
    else if (verb === 'forget') groups.delete(subject);
    else if (verb === 'watch container') containers.add(subject);
    else if (verb === 'forget container') containers.delete(subject);
    else if (verb === 'postmaster') clusters.add(subject);
    else if (verb === 'remove') folders.add(subject);
    else return;
  }
  for (const pid of groups) signal(-pid, 'SIGKILL');
  for (const name of containers) removeContainer(name);
  await Promise.all([...clusters].map(endPostmaster));
  for (const folder of folders) await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

async function endPostmaster(folder: string): Promise<void> {
  let pid = findPostmaster(folder);
  // One that was begun a moment ago has not written its number yet.
  for (let waitedMs = 0; pid === null && waitedMs < appearMsMax; waitedMs += checkMs) {
    await pause(checkMs);
    pid = findPostmaster(folder);
  }
  if (pid === null) return;
  signal(pid, 'SIGQUIT');
  const deadlineMs = performance.now() + quitMsMax;
  while (signal(pid, 0) && performance.now() < deadlineMs) await pause(checkMs);
  signal(-pid, 'SIGKILL');
}

/** The number in its file, if the process with that number stands in the folder: PostgreSQL always does. */
function findPostmaster(folder: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(path.join(folder, 'postmaster.pid'), 'utf8'), 10);
    const isThere = process.platform !== 'linux' || readlinkSync(`/proc/${pid}/cwd`) === realpathSync(folder);
    return isThere && pid > 0 ? pid : null;
  } catch {
    // No file, or no such process: it has ended.
    return null;
  }
}

/** Answers whether there was such a process. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

function removeContainer(name: string): void {
  try {
    execFileSync('docker', ['rm', '--force', '--volumes', name], { stdio: 'ignore' });
  } catch {
    // The engine is gone, or the container is: there is nobody left to tell.
  }
}
