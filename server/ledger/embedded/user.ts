import { chown, lchown, readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { EmbeddedPostgresError, unlessSystemCode } from './error.ts';

/**
 * The account that PostgreSQL runs under when we are root, because `postgres` and `initdb` refuse
 * to be root. Undefined stands for our own account.
 */
export type ServerUser = { uid: number; gid: number } | undefined;

/**
 * Picks the account and, when we are root, makes the cluster folder its own.
 *
 * @throws {EmbeddedPostgresError} `folder_unusable` if the cluster belongs to somebody else.
 */
export async function chooseServerUser(clusterFolder: string, shownFolder: string): Promise<ServerUser> {
  const ownUid = process.getuid?.();
  if (ownUid === undefined) return undefined;
  const owner = await unlessSystemCode(['ENOENT'], undefined, () => stat(clusterFolder));
  if (ownUid !== 0) {
    if (owner !== undefined && owner.uid !== ownUid) {
      throw new EmbeddedPostgresError(
        'folder_unusable',
        `the database in ${shownFolder} belongs to user ${owner.uid}, and this process is user ${ownUid}; start as that user, change the owner of the folder, or choose another folder with --data`,
      );
    }
    return undefined;
  }
  const accounts = await readFile('/etc/passwd', 'utf8');
  const user = pickServerUser(accounts, owner);
  // A cluster that root owns was copied or restored by root. Nothing can run on it as it is.
  if (owner?.uid === 0) await giveFolder(clusterFolder, user);
  return user;
}

/**
 * The owner of an existing cluster if it is not root, else `postgres`, else `nobody`. The group is
 * the account's own, never root's.
 */
export function pickServerUser(
  accounts: string,
  owner: { uid: number; gid: number } | undefined,
): { uid: number; gid: number } {
  const users = parseAccounts(accounts);
  if (owner !== undefined && owner.uid !== 0) {
    const known = users.find((user) => user.uid === owner.uid);
    return { uid: owner.uid, gid: known?.gid ?? (owner.gid === 0 ? owner.uid : owner.gid) };
  }
  const user = users.find(({ name }) => name === 'postgres') ?? users.find(({ name }) => name === 'nobody');
  if (user === undefined || user.uid === 0) {
    throw new EmbeddedPostgresError(
      'binaries_unusable',
      'PostgreSQL refuses to run as root, and there is no user "postgres" or "nobody" to run it as; add one, start Hustings as an ordinary user, or set DATABASE_URL',
    );
  }
  return { uid: user.uid, gid: user.gid };
}

function parseAccounts(text: string): { name: string; uid: number; gid: number }[] {
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    if (name === undefined || uid === undefined || gid === undefined) return [];
    // macOS writes the uid of nobody as -2; the kernel knows it as an unsigned number.
    return [{ name, uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 }];
  });
}

/** The folder itself comes last: as long as root owns it, the next start begins again. */
async function giveFolder(folder: string, user: { uid: number; gid: number }): Promise<void> {
  const entries = await readdir(folder, { recursive: true });
  for (const entry of entries) await lchown(path.join(folder, entry), user.uid, user.gid);
  await chown(folder, user.uid, user.gid);
}

/**
 * How the server names its own folder. As another user it may not walk there from the root, when the
 * folder lies below /root for example. It is put into the folder instead, before it loses root's
 * rights, and on Linux this name leads to where a process stands without a look at any parent.
 */
export function toOwnFolder(user: ServerUser, folder: string): string {
  return user !== undefined && process.platform === 'linux' ? '/proc/self/cwd' : folder;
}

/** Our own environment may hold secrets, and names such as PGDATA that would change the server. */
export function toServerEnvironment(): NodeJS.ProcessEnv {
  const passed = ['PATH', 'LD_LIBRARY_PATH', 'SystemRoot', 'TEMP', 'TMP', 'TMPDIR'];
  const kept = passed.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { ...Object.fromEntries(kept), LC_ALL: 'C', TZ: 'UTC' };
}
