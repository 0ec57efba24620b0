import { randomUUID } from 'node:crypto';
import { link, readFile, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { unlessSystemCode } from './error.ts';
import { isPostgresOn } from './postmaster.ts';

/**
 * Removes the lock files of a server that is no more. PostgreSQL does so by itself unless the number
 * in the file belongs to a living process of its own user, whatever that is, or the file is empty,
 * which a power cut can leave. Call it only after PostgreSQL refused a lock file.
 */
export async function removeStaleLocks(folder: string): Promise<void> {
  const entries = await readdir(folder);
  const locks = entries.filter((name) => name === 'postmaster.pid' || /^\.s\.PGSQL\.\d+\.lock$/.test(name));
  await Promise.all(locks.map((name) => removeStaleLock(folder, path.join(folder, name))));
}

/**
 * Somebody else may remove the same file at this moment and have a new server started already. So it
 * is put aside first, and if it turns out to be another one it is put back.
 */
async function removeStaleLock(folder: string, file: string): Promise<void> {
  const judged = await readLock(file);
  if (judged === undefined || (await isPostgresOn(folder, toPid(judged)))) return;
  if (judged === '') {
    // A server that starts just now makes the file before it writes into it.
    await sleep(1_000);
    if ((await readLock(file)) !== judged) return;
  }
  const aside = `${file}.stale-${randomUUID()}`;
  const moved = await unlessSystemCode(['ENOENT'], false, async () => {
    await rename(file, aside);
    return true;
  });
  if (!moved) return;
  if ((await readLock(aside)) !== judged) {
    await unlessSystemCode(['EEXIST'], undefined, () => link(aside, file));
  }
  await rm(aside, { force: true });
}

function readLock(file: string): Promise<string | undefined> {
  return unlessSystemCode(['ENOENT'], undefined, () => readFile(file, 'utf8'));
}

/** A server in single-user mode writes its number with a minus sign. */
function toPid(text: string): number {
  return Math.abs(Number(text.split('\n')[0]));
}
