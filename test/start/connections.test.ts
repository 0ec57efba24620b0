/** The connections to PostgreSQL that programs really take, against the figure that doctor and documents give. */
import path from 'node:path';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { findFreePort } from '../../scripts/services/ports.ts';
import { parseConfig } from '../../server/config.ts';
import { cleanUp, makeFolder } from '../../server/ledger/embedded/test-support.ts';
import { toConnectionNeeds } from '../../server/open-ledger.ts';
import { launch, mainFile, serverReadyText } from '../crash/program.ts';
import { floodLedger, holdLedger } from '../support/held-ledger.ts';
import { createPoll } from '../support/http.ts';
import { createDatabase } from '../support/server.ts';

afterEach(cleanUp);

const requests = 60;

test.each([
  { name: 'a server as it comes', flags: [], each: 11, all: 12 },
  { name: 'one with less', flags: ['--pool-connections-max', '3', '--recorder-lanes', '1'], each: 5, all: 6 },
  { name: 'two processes', flags: ['--processes', '2', '--pool-connections-max', '3'], each: 6, all: 14 },
])('$name takes $all connections to the embedded database, and to another one those without its lock', async (row) => {
  for (const place of ['embedded', 'external'] as const) {
    const port = await findFreePort();
    const folder = await makeFolder();
    const { DATABASE_URL: _url, POSTGRES_HOST: _host, ...others } = process.env;
    const databaseUrl = place === 'embedded' ? null : await createDatabase();
    const env = databaseUrl === null ? others : { ...others, DATABASE_URL: databaseUrl };
    const base = ['--data', folder, '--port', String(port), '--preset', 'none', '--log-level', 'silent'];
    // What is held is to wait as long as it takes to see all of it.
    const argv = [...base, '--statement-timeout-ms', '60000', ...row.flags];
    const needs = toConnectionNeeds(
      parseConfig({ argv, env: databaseUrl === null ? {} : { DATABASE_URL: databaseUrl } }),
    );
    expect([needs.each, needs.all]).toEqual([row.each, place === 'embedded' ? row.all : row.all - 1]);

    const { child, ended } = await launch({ command: [mainFile, 'serve', ...argv], env, readyText: serverReadyText });
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    const url = `http://127.0.0.1:${port}`;
    const poll = await createPoll(url);
    const embedded = { host: path.join(folder, 'postgres'), user: 'hustings', database: 'hustings' };
    const held = await holdLedger(databaseUrl === null ? embedded : { connectionString: databaseUrl }, {
      alone: databaseUrl === null,
    });
    onTestFinished(held.letGo);
    const answered = floodLedger(url, poll.id, requests);
    const processes = row.flags.includes('--processes') ? 2 : 1;
    await expect.poll(held.countWaiting).toBe(processes * (needs.pool + needs.lanes));
    const count = await held.count();
    await held.letGo();
    await answered;
    child.kill('SIGTERM');
    await ended;
    // The process that starts the others needs its own for the migrations, and gives it up after a while.
    expect(count).toBeLessThanOrEqual(needs.all);
    expect(count).toBeGreaterThanOrEqual(needs.all - (processes > 1 ? 1 : 0));
  }
});
