import { chmod, cp, lstat, mkdir, mkdtemp, open, readdir, realpath, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { EmbeddedPostgresError, unlessSystemCode } from './error.ts';

/**
 * A copy that only root can change. It is made beside its place, written to the disk and renamed,
 * so that a copy with this name is whole, even after a power cut. Answers with its real path.
 *
 * @throws {EmbeddedPostgresError} `binaries_unusable`
 */
export async function keepCopy(source: string, copy: string): Promise<string> {
  const cacheFolder = path.dirname(copy);
  try {
    const made = await mkdir(cacheFolder, { recursive: true });
    if (made !== undefined) await chmod(cacheFolder, 0o755);
    await checkOwnedByRoot(cacheFolder);
    if (await unlessSystemCode(['ENOENT'], undefined, () => lstat(copy))) {
      await checkOwnedByRoot(copy);
      return await realpath(copy);
    }
    const fresh = await mkdtemp(`${copy}.new-`);
    try {
      await cp(source, fresh, { recursive: true, verbatimSymlinks: true });
      await openAndSync(fresh);
      // Another Hustings may have been faster; its copy is as good.
      await unlessSystemCode(['EEXIST', 'ENOTEMPTY'], undefined, () => rename(fresh, copy));
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
    return await realpath(copy);
  } catch (cause) {
    if (cause instanceof EmbeddedPostgresError) throw cause;
    throw new EmbeddedPostgresError(
      'binaries_unusable',
      `the unprivileged user of PostgreSQL cannot reach ${source}, and it cannot be copied to ${copy} (${cause instanceof Error ? cause.message : String(cause)}); install Hustings where every user may read it, or set DATABASE_URL`,
      { cause },
    );
  }
}

/** We run what lies in the copy, so nobody but root may have had a hand in it. */
async function checkOwnedByRoot(folder: string): Promise<void> {
  const found = await lstat(folder);
  if (found.isDirectory() && found.uid === 0 && (found.mode & 0o022) === 0) return;
  throw new EmbeddedPostgresError(
    'binaries_unusable',
    `${folder} is not a folder that only root can change, so its PostgreSQL is not trusted; remove it or set DATABASE_URL`,
  );
}

/** Every user may read and run the copy, whatever the umask was under which the original was installed. */
async function openAndSync(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (entry.isSymbolicLink()) continue;
    const handle = await open(path.join(entry.parentPath, entry.name), 'r');
    try {
      const { mode } = await handle.stat();
      await handle.chmod((mode & 0o100) === 0 ? 0o644 : 0o755);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}
