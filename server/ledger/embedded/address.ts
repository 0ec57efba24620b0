import { mkdtemp, open, readFile, rm, symlink, constants } from 'node:fs/promises';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { unlessSystemCode } from './error.ts';
import { passwordFileName, serverRole } from './initdb.ts';
import { findPostmaster } from './postmaster.ts';

/** Settings for a `pg` client or pool. `ssl` is said because `PGSSLMODE` would speak otherwise. */
export type EmbeddedConnection = {
  /** A folder with a Unix socket, or 127.0.0.1 on Windows. */
  host: string;
  port: number;
  user: string;
  database: string;
  password?: string;
  ssl: false;
};

export type EmbeddedAddress = {
  connection: EmbeddedConnection;
  /** Server settings that make it listen there and nowhere else. */
  settings: Record<string, string>;
  close(): Promise<void>;
};

/**
 * Where the server is reached: a Unix socket in the cluster folder, which has mode 0700. Being there,
 * it can belong to no other server. The address stays the same when the server is started again.
 */
export async function openAddress(clusterFolder: string): Promise<EmbeddedAddress> {
  const common = { user: serverRole, database: 'hustings', ssl: false } as const;
  if (process.platform === 'win32') {
    const port = (await findPostmaster(clusterFolder))?.port ?? (await findFreePort());
    const password = await readFile(path.join(clusterFolder, passwordFileName), 'utf8');
    return {
      connection: { ...common, host: '127.0.0.1', port, password },
      settings: { listen_addresses: '127.0.0.1', unix_socket_directories: '', port: String(port) },
      close: async () => {},
    };
  }
  const { host, close } = await openSocketFolder(clusterFolder);
  return {
    connection: { ...common, host, port: socketPort },
    settings: {
      listen_addresses: '',
      // Relative to the cluster folder, so its length and its characters do not matter to the server.
      unix_socket_directories: '.',
      unix_socket_permissions: '0700',
      port: String(socketPort),
    },
    close,
  };
}

/** Only a part of the socket's name; nothing listens on the port. */
const socketPort = 5432;

/** The path of a Unix socket has at most 103 (macOS) or 107 (Linux) bytes. */
const socketPathBytesMax = 103;

/** A name of the folder that is short enough for a client. */
async function openSocketFolder(folder: string): Promise<{ host: string; close: () => Promise<void> }> {
  if (Buffer.byteLength(`${folder}/.s.PGSQL.${socketPort}`) <= socketPathBytesMax) {
    return { host: folder, close: async () => {} };
  }
  if (process.platform === 'linux') {
    // Ends with this process, so nothing is left behind. Child processes of ours can use it as well.
    const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    return { host: `/proc/${process.pid}/fd/${handle.fd}`, close: () => handle.close() };
  }
  const aside = await mkdtemp(path.join(os.tmpdir(), 'hustings-'));
  await unlessSystemCode(['EEXIST'], undefined, () => symlink(folder, path.join(aside, 's')));
  return {
    host: path.join(aside, 's'),
    close: () => rm(aside, { recursive: true, force: true }),
  };
}

/** Another program may take the port before the server does; then the start fails and says so. */
async function findFreePort(): Promise<number> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.once('error', reject).listen(0, '127.0.0.1', () => {
    const address = server.address();
    server.close();
    if (address === null || typeof address === 'string') reject(new Error('no port was given'));
    else resolve(address.port);
  });
  return promise;
}
