/** Redis, RabbitMQ and PostgreSQL by TLS, with certificates of an authority that only its owner believes. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type NetConnectOpts, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { makeAuthority, type Authority, type Certificate } from '../support/certificates.ts';
import { runCommand } from '../support/run-command.ts';
import { createDatabase } from '../support/server.ts';

type Env = Record<string, string>;

let folder: string;
let authority: Authority;
let stranger: Authority;
let service: Certificate;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'hustings-private-authority-'));
  authority = await makeAuthority(folder, 'authority');
  stranger = await makeAuthority(folder, 'stranger');
  service = await authority.sign('service', ['IP:127.0.0.1']);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** A port that speaks TLS before a service that does not. Where PostgreSQL is behind it, clients ask for TLS first. */
async function openTlsPort(to: NetConnectOpts, isPostgres = false): Promise<number> {
  const sockets = new Set<Socket>();
  const keep = <Kept extends Socket>(socket: Kept): Kept => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    return socket;
  };
  const server = createServer((socket) => {
    keep(socket);
    const begin = (): void => {
      const secure = keep(new TLSSocket(socket, { isServer: true, cert: service.cert, key: service.key }));
      const behind = keep(connect(to));
      secure.pipe(behind).pipe(secure);
      secure.on('close', () => behind.destroy());
      behind.on('close', () => secure.destroy());
    };
    if (!isPostgres) return begin();
    socket.once('data', () => {
      socket.write('S');
      begin();
    });
  });
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server listens on no port.');
  return address.port;
}

function toPlace(url: string): { host: string; port: number } {
  const { hostname: host, port } = new URL(url);
  return { host, port: Number(port) };
}

async function openRedis(): Promise<{ argv: string[]; env: Env }> {
  const port = await openTlsPort(toPlace(inject('redisUrls')[0] ?? ''));
  return { argv: ['queue', '--queue', 'redis'], env: { REDIS_URL: `rediss://127.0.0.1:${port}` } };
}

async function openRabbitmq(): Promise<{ argv: string[]; env: Env }> {
  const url = new URL(inject('rabbitmqUrl'));
  const port = await openTlsPort(toPlace(url.href));
  const to = `amqps://${url.username}:${url.password}@127.0.0.1:${port}${url.pathname}`;
  return { argv: ['queue', '--queue', 'rabbitmq'], env: { RABBITMQ_URL: to } };
}

async function openPostgres(): Promise<{ argv: string[]; env: Env }> {
  const url = new URL(await createDatabase());
  const socketFolder = url.searchParams.get('host');
  const to = socketFolder === null ? toPlace(url.href) : { path: path.join(socketFolder, '.s.PGSQL.5432') };
  url.searchParams.delete('host');
  url.searchParams.set('sslmode', 'verify-full');
  url.host = `127.0.0.1:${await openTlsPort(to, true)}`;
  return { argv: ['migrate'], env: { DATABASE_URL: url.href } };
}

test.for([
  ['Redis', openRedis],
  ['RabbitMQ', openRabbitmq],
  ['PostgreSQL', openPostgres],
] as const)('%s is believed with NODE_EXTRA_CA_CERTS, and refused in a line without it', async ([, open]) => {
  const { argv, env } = await open();
  const run = (extra: Env) => runCommand([...argv, '--log-level', 'error'], { ...env, ...extra });
  expect(await run({ NODE_EXTRA_CA_CERTS: authority.certFile })).toMatchObject({ status: 0, errors: '' });
  for (const extra of [{}, { NODE_EXTRA_CA_CERTS: stranger.certFile }]) {
    const { status, errors } = await run(extra);
    expect(errors).toMatch(/^hustings: .*certificate.*\n$/u);
    expect(status).toBe(1);
  }
});

test('PostgreSQL is believed with sslrootcert, and that alone', async () => {
  const { argv, env } = await openPostgres();
  const run = ({ certFile }: Authority) =>
    runCommand(argv, { DATABASE_URL: `${env['DATABASE_URL']}&sslrootcert=${certFile}` });
  expect(await run(authority)).toMatchObject({ status: 0, errors: '' });
  expect(await run(stranger)).toMatchObject({ status: 1, errors: expect.stringContaining('certificate') as unknown });
});
