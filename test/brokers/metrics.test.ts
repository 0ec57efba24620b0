/** Metrics of an installation with a broker, a worker of its own and Redis nodes; and whether dashboard and alerts find everything there. */
import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { expect, inject, onTestFinished, test } from 'vitest';
import { parseConfig } from '../../server/config.ts';
import { openSegmentLog } from '../../server/open-log.ts';
import { startWorker, type RunningWorker } from '../../server/run-worker.ts';
import { createPoll, get, post } from '../support/http.ts';
import { checkConventions, findUnbounded, labelBounds, scrape, valueOf, type Scrape } from '../support/metrics.ts';
import { findFaults, readAlerts, readPanels } from '../support/monitoring.ts';
import { parsePromql } from '../support/promql.ts';
import { makeQueueVariables } from '../support/queue.ts';
import { createDatabase, startOn, type TestServer } from '../support/server.ts';

const wait = { timeout: 30_000, interval: 50 };
const log = pino({ level: 'silent' });
const bounds = { ...labelBounds, route: (value: string) => /^(?:none|\*|\/[\w:./{}~*-]*)$/u.test(value) };

type Queue = 'redis' | 'rabbitmq' | 'kafka';

async function startPair(queue: Queue): Promise<{
  server: TestServer;
  bury(bytes: Buffer): Promise<void>;
  startTheWorker(): Promise<RunningWorker>;
}> {
  const databaseUrl = await createDatabase();
  const env = {
    ...makeQueueVariables(),
    REDIS_NODES: inject('redisUrls').slice(1).join(','),
  };
  const flags = ['--queue', queue, '--preset', 'none', '--metrics-port', '0', '--worker=false'];
  const server = await startOn(databaseUrl, flags, env);
  const config = parseConfig({ argv: flags, env: { ...env, DATABASE_URL: databaseUrl } });
  return {
    server,
    async bury(bytes) {
      if (config.ingestLog.name === 'direct') throw new Error('The tests ask for a broker.');
      const segments = await openSegmentLog(config.ingestLog, { durability: 'process' }, log);
      await segments.append(bytes);
      await segments.close();
    },
    async startTheWorker() {
      const worker = await startWorker(config, { log, onProgress: () => undefined, onLost: () => undefined });
      onTestFinished(worker.stop);
      return worker;
    },
  };
}

function scrapeServer({ running }: TestServer): Promise<Scrape> {
  return scrape(running.metricsPort);
}

function cast({ url }: TestServer, pollId: string, userId: string = randomUUID()) {
  return post(`${url}/api/v1/polls/${pollId}/ballots`, { selections: ['1'], userId });
}

test.for(['redis', 'rabbitmq', 'kafka'] as const)(
  'through %s the server tells what it received and what waits, the worker what it counted, refused and set aside',
  async (queue) => {
    const { server, bury, startTheWorker } = await startPair(queue);
    const poll = await createPoll(server.url);
    for (const user of ['a', 'b', 'c', 'a']) expect((await cast(server, poll.id, user)).status).toBe(202);
    const received = { outcome: 'received', log: queue };
    expect(valueOf(await scrapeServer(server), 'hustings_ballots_total', received)).toBe(4);
    const waiting = async (): Promise<number> =>
      valueOf(await scrapeServer(server), 'hustings_ingest_log_waiting_segments');
    await expect.poll(waiting, wait).toBeGreaterThan(0);
    await expect
      .poll(async () => valueOf(await scrapeServer(server), 'hustings_ingest_log_lag_seconds'), wait)
      .toBeGreaterThan(0);

    await bury(Buffer.from('no segment'));
    const worker = await startTheWorker();
    const ofWorker = async (labels: Record<string, string>): Promise<number> =>
      valueOf(await scrape(worker.metricsPort), 'hustings_ballots_total', { log: queue, ...labels });
    await expect.poll(() => ofWorker({ outcome: 'counted' }), wait).toBe(3);
    await expect.poll(() => ofWorker({ outcome: 'refused', code: 'ballot_already_cast' }), wait).toBe(1);
    await expect
      .poll(async () => valueOf(await scrape(worker.metricsPort), 'hustings_ingest_log_dead_letters'), wait)
      .toBe(1);
    await expect.poll(async () => valueOf(await scrapeServer(server), 'hustings_ingest_log_lag_seconds'), wait).toBe(0);
    await expect.poll(waiting, wait).toBe(0);
    const scraped = await scrape(worker.metricsPort);
    expect(checkConventions(scraped)).toEqual([]);
    expect(findUnbounded(scraped, bounds)).toEqual([]);
    expect(valueOf(scraped, 'hustings_recorder_batch_duration_seconds_count')).toBeGreaterThan(0);

    const probe = await get(`http://127.0.0.1:${worker.metricsPort}/readyz`);
    expect([probe.status, probe.json]).toEqual([200, { status: 'ready', ledger: 'ok', log: 'ok', board: 'ok' }]);
    expect((await get(`http://127.0.0.1:${worker.metricsPort}/healthz`)).status).toBe(200);
  },
);

test('every query of the dashboard and of the alerts finds its metrics and labels at a server and a worker', async () => {
  const { server, startTheWorker } = await startPair('redis');
  const worker = await startTheWorker();
  await cast(server, (await createPoll(server.url)).id);
  const counted = async (): Promise<number> =>
    valueOf(await scrape(worker.metricsPort), 'hustings_ballots_total', { outcome: 'counted' });
  await expect.poll(counted, wait).toBe(1);
  const ready = async (): Promise<number> =>
    valueOf(await scrapeServer(server), 'hustings_redis_ring_nodes', { state: 'ready' });
  await expect.poll(ready, wait).toBe(2);
  const scraped = new Map([...(await scrape(worker.metricsPort)), ...(await scrapeServer(server))]);
  expect(checkConventions(scraped)).toEqual([]);
  expect(findUnbounded(scraped, bounds)).toEqual([]);
  const queries = readPanels().flatMap(({ targets = [] }) => targets);
  expect(queries.length).toBeGreaterThan(20);
  for (const { expr, legendFormat } of queries) expect(findFaults(scraped, expr, legendFormat), expr).toEqual([]);
  for (const { alert, expr, annotations } of readAlerts()) {
    const words = `${annotations.summary} ${annotations.description}`;
    expect(findFaults(scraped, expr, words), alert).toEqual([]);
  }
  const asked = [...queries, ...readAlerts()].flatMap(({ expr }) => parsePromql(expr).selectors);
  const shown = new Set(asked.map(({ metric }) => metric.replace(/_(?:bucket|sum|count)$/u, '')));
  const ours = [...scraped.keys()].filter((name) => name.startsWith('hustings_'));
  expect(ours.filter((name) => !shown.has(name))).toEqual(['hustings_draining']);

  const wrong =
    'sum by (colour) (rate(hustings_ballot_total[5m])) / hustings_live_frames_total{transport="carrier_pigeon", poll="7"}';
  expect(findFaults(scraped, wrong)).toEqual([
    'There is no metric hustings_ballot_total.',
    'transport is never carrier_pigeon.',
    'hustings_live_frames_total has no label poll.',
    'There is no label colour.',
  ]);
});
