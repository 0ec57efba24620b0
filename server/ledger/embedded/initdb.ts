import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { EmbeddedPostgresError, toReason } from './error.ts';
import { toOwnFolder, toServerEnvironment, type ServerUser } from './user.ts';

/** One role owns everything in the embedded server. */
export const serverRole = 'hustings';

/** Where the role's password lies in the cluster on Windows, where no folder guards a socket. */
export const passwordFileName = 'hustings-password';

/**
 * Makes a cluster in an empty folder that belongs to `user`, and writes it to the disk.
 *
 * @throws {EmbeddedPostgresError} `start_failed`
 */
export async function runInitdb(initdb: string, folder: string, user: ServerUser, shownFolder: string): Promise<void> {
  const password = process.platform === 'win32' ? await writePassword(folder) : undefined;
  const child = spawn(initdb, ['-D', toOwnFolder(user, folder), ...initdbArguments, ...toAuthArguments(password)], {
    cwd: folder,
    env: toServerEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...user,
  });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => said.push(text));
  }
  const [code] = await once(child, 'close');
  if (code !== 0) {
    const text = said.join('');
    throw new EmbeddedPostgresError(
      'start_failed',
      `cannot make the database in ${shownFolder}: ${toReason(text) ?? 'initdb failed'}${toFaults(text)}`,
    );
  }
  if (password !== undefined) await rename(password, path.join(folder, passwordFileName));
}

const initdbArguments = [
  `--username=${serverRole}`,
  '--encoding=UTF8',
  '--locale=C',
  // Built into PostgreSQL, so it sorts alike on every machine and needs no locale of the system.
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--data-checksums',
  '--no-instructions',
  // The server inside initdb needs more than the 1 MB that some containers give /dev/shm.
  ...(process.platform === 'linux' ? ['--set=dynamic_shared_memory_type=sysv'] : []),
];

/** Who can reach the socket is this user or root already, and there are no other connections. */
function toAuthArguments(passwordFile: string | undefined): string[] {
  return passwordFile === undefined
    ? ['--auth-local=trust', '--auth-host=reject']
    : ['--auth=scram-sha-256', `--pwfile=${passwordFile}`];
}

/** initdb wants its folder empty, so the password waits beside it and moves in afterwards. */
async function writePassword(folder: string): Promise<string> {
  const file = `${folder}-password`;
  await writeFile(file, randomBytes(24).toString('base64url'), { mode: 0o600 });
  return file;
}

/** The lines of initdb that name a fault; the rest is its list of steps. */
function toFaults(said: string): string {
  const faults = said.split('\n').filter((line) => /error|fatal|detail|hint|panic/i.test(line));
  return faults.length === 0 ? '' : `\n${faults.slice(-8).join('\n')}`;
}
