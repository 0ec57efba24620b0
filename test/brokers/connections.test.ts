/** The connections to PostgreSQL of servers and workers beside a broker, against the figure that doctor and documents give. */
import { once } from 'node:events';
import { afterEach, expect, inject, onTestFinished, test } from 'vitest';
import { findFreePort } from '../../scripts/services/ports.ts';
import { parseConfig } from '../../server/config.ts';
import { cleanUp } from '../../server/ledger/embedded/test-support.ts';
import { toConnectionNeeds } from '../../server/open-ledger.ts';
import { launch, mainFile, serverReadyText, workerReadyText } from '../crash/program.ts';
import { floodLedger, holdLedger } from '../support/held-ledger.ts';
import { createPoll } from '../support/http.ts';
import { createDatabase } from '../support/server.ts';

afterEach(cleanUp);

const requests = 40;

test.each(['postgres', 'redis'])(
  'a server that leaves recording to a worker takes no lanes, with the bus over %s',
  async (bus) => {
    const port = await findFreePort();
    const env = {
      DATABASE_URL: await createDatabase(),
      REDIS_URL: inject('redisUrls')[0] ?? '',
      REDIS_STREAM: `connections-${bus}`,
    };
    // What is held is to wait as long as it takes to see all of it.
    const patient = ['--statement-timeout-ms', '60000'];
    const shared = ['--queue', 'redis', '--bus', bus, '--preset', 'none', '--log-level', 'silent', ...patient];
    const serverFlags = [...shared, '--worker=false', '--port', String(port)];
    // The clock is measured each second, so that a pool of one always has its connection.
    const workerFlags = [...shared, '--pool-connections-max', '1'];
    const serverNeeds = toConnectionNeeds(parseConfig({ argv: serverFlags, env }));
    const workerNeeds = toConnectionNeeds(parseConfig({ argv: workerFlags, env }));
    expect([serverNeeds, workerNeeds].map(({ pool, lanes, news, all }) => [pool, lanes, news, all])).toEqual([
      [8, 0, 1, 9],
      [1, 2, 1, 4],
    ]);

    async function start(command: 'serve' | 'worker', flags: readonly string[]): Promise<() => Promise<void>> {
      const readyText = command === 'serve' ? serverReadyText : workerReadyText;
      const all = { ...process.env, ...env };
      const { child, ended } = await launch({ command: [mainFile, command, ...flags], env: all, readyText });
      onTestFinished(async () => {
        child.kill('SIGKILL');
        await ended;
      });
      return async () => {
        child.kill('SIGTERM');
        if (child.exitCode === null) await once(child, 'exit');
      };
    }

    const stopServer = await start('serve', serverFlags);
    const url = `http://127.0.0.1:${port}`;
    const poll = await createPoll(url);
    const heldFromServer = await holdLedger({ connectionString: env.DATABASE_URL }, { alone: false });
    const answered = floodLedger(url, poll.id, requests);
    await expect.poll(heldFromServer.countWaiting).toBe(serverNeeds.pool);
    expect(await heldFromServer.count()).toBe(serverNeeds.all);
    await heldFromServer.letGo();
    await answered;
    await stopServer();

    // It finds the ballots that the server has accepted.
    const heldFromWorker = await holdLedger({ connectionString: env.DATABASE_URL }, { alone: false });
    const stopWorker = await start('worker', workerFlags);
    await expect.poll(heldFromWorker.countWaiting).toBeGreaterThan(0);
    const count = await heldFromWorker.count();
    expect(count).toBeLessThanOrEqual(workerNeeds.all);
    expect(count).toBeGreaterThan(workerNeeds.news + workerNeeds.pool);
    await heldFromWorker.letGo();
    await stopWorker();
  },
);
