/**
 * One PostgreSQL for all service tests of a run, in a folder of its own; each server makes its own database in it.
 * `HUSTINGS_TEST_POSTGRES_URL` names another one instead, whose user may create databases.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pino from 'pino';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../server/ledger/embedded/embedded.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The URL of a database whose user may create others. */
    postgresUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const givenUrl = process.env['HUSTINGS_TEST_POSTGRES_URL'];
  if (givenUrl !== undefined) {
    project.provide('postgresUrl', givenUrl);
    return () => Promise.resolve();
  }
  const dataFolder = await mkdtemp(path.join(tmpdir(), 'hustings-test-'));
  const postgres = await startEmbeddedPostgres({ dataFolder, log: pino({ level: 'warn' }, pino.destination(2)) });
  const { user, host, database } = postgres.connection;
  project.provide('postgresUrl', `postgres://${user}@localhost/${database}?host=${encodeURIComponent(host)}`);
  return async () => {
    await postgres.stop();
    await rm(dataFolder, { recursive: true, force: true });
  };
}
