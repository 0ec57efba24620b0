/** A way to a PostgreSQL server that can break as a network does: the client is cut off, and the server does not notice. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export type PostgresProxy = {
  /** The same database by another way. */
  readonly url: string;
  /** Cuts off every client. What the server was told to do, it goes on to do. */
  cut(): void;
};

export async function startPostgresProxy(databaseUrl: string): Promise<PostgresProxy> {
  const target = new URL(databaseUrl);
  const clients = new Set<Socket>();
  const servers = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = openServer(target);
    clients.add(client);
    servers.add(server);
    client.pipe(server, { end: false });
    server.pipe(client);
    for (const socket of [client, server]) socket.on('error', () => socket.destroy());
    server.once('close', () => client.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => {
    for (const socket of [...clients, ...servers]) socket.destroy();
    proxy.close();
  });
  const address = proxy.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `postgres://${target.username}:${target.password}@127.0.0.1:${port}${target.pathname}`,
    cut() {
      for (const client of clients) client.destroy();
      clients.clear();
      for (const server of servers) server.resume();
    },
  };
}

/** A URL names a Unix socket by the folder that it is in. */
function openServer(target: URL): Socket {
  const folder = target.searchParams.get('host');
  const port = target.port === '' ? '5432' : target.port;
  return folder === null ? connect(Number(port), target.hostname) : connect(`${folder}/.s.PGSQL.${port}`);
}
