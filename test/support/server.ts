/** A whole server in this process, on a database and a port of its own. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import pino from 'pino';
import { afterAll, beforeAll, inject, onTestFinished } from 'vitest';
import { startHustings, type Running } from '../../server/compose.ts';
import { parseConfig } from '../../server/config.ts';
import type { Environment } from '../../server/lib/setting-table.ts';

export type TestServer = {
  readonly url: string;
  readonly databaseUrl: string;
  readonly running: Running;
  /** Rows straight from the ledger, past the server. */
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Ends the server; the database stays for another one. */
  stop(): Promise<void>;
};

/** Flags as on the command line: `startTestServer('--preset', 'none')`. Stopped when the test has finished. */
export async function startTestServer(...flags: string[]): Promise<TestServer> {
  return startOn(await createDatabase(), flags);
}

/** One server for all tests of a file, which must not change what others of them look at. Call it at the top of the file. */
export function shareTestServer(...flags: string[]): () => TestServer {
  return shareServer(flags, {});
}

/** The same with variables of its environment. */
export function shareServer(flags: readonly string[], env: Environment): () => TestServer {
  let server: TestServer | undefined;
  beforeAll(async () => {
    server = await runOn(await createDatabase(), flags, env);
  });
  afterAll(() => server?.stop());
  return () => {
    if (server === undefined) throw new Error('The shared server runs only while tests do.');
    return server;
  };
}

/** Another server on the database of one that was stopped or that still runs. Stopped when the test has finished. */
export async function startOn(
  databaseUrl: string,
  flags: readonly string[] = [],
  env: Environment = {},
): Promise<TestServer> {
  const server = await runOn(databaseUrl, flags, env);
  onTestFinished(server.stop);
  return server;
}

async function runOn(databaseUrl: string, flags: readonly string[], env: Environment = {}): Promise<TestServer> {
  const config = parseConfig({
    argv: [
      ...(flags.includes('--port') ? [] : ['--port', '0']),
      '--log-level',
      process.env['TEST_LOG'] ?? 'fatal',
      ...flags,
    ],
    env: { DATABASE_URL: databaseUrl, ...env },
  });
  const running = await startHustings(config, {
    log: pino({ level: config.logLevel }),
    onProgress: () => {},
    onLost: fail,
  });
  const client = new pg.Client({ connectionString: databaseUrl });
  // Tests end the connections of a database, too.
  client.on('error', () => undefined);
  await client.connect();
  let stopped: Promise<void> | null = null;
  const stop = () => (stopped ??= running.stop().then(() => client.end()));
  return {
    url: `http://127.0.0.1:${running.port}`,
    databaseUrl,
    running,
    stop,
    async query<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) {
      const { rows } = await client.query<Row>(text, values);
      return rows;
    },
  };
}

/** An empty database, dropped with the cluster when the run ends. */
export async function createDatabase(): Promise<string> {
  const adminUrl = inject('postgresUrl');
  const name = `test_${randomBytes(8).toString('hex')}`;
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query(`create database ${name}`);
  } finally {
    await client.end();
  }
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return url.href;
}

function fail(error: Error): void {
  throw error;
}
