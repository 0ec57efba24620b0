/** An empty database for servers that are measured. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** Answers its URL. */
export async function createBenchDatabase(
  postgresUrl: string,
  name = `bench_${randomBytes(6).toString('hex')}`,
): Promise<string> {
  const admin = new pg.Client({ connectionString: postgresUrl });
  await admin.connect();
  await admin.query(`create database ${name}`);
  await admin.end();
  const url = new URL(postgresUrl);
  url.pathname = `/${name}`;
  return url.href;
}
