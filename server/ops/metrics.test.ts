import { expect, test } from 'vitest';
import { createMeters } from '../intake/meters.ts';
import { createMetrics, type BrokerSource } from './metrics.ts';

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function createSample(broker: BrokerSource | null = null) {
  const meters = createMeters('redis');
  const metrics = createMetrics({
    version: '1.2.3',
    meters,
    pool: { totalCount: 3, idleCount: 2, waitingCount: 0 },
    recorderAwayMs: () => 0,
    boardStaleMs: () => 1_500,
    broker,
    worker: null,
    server: null,
    log,
  });
  const read = async (): Promise<string[]> => (await metrics.read()).split('\n');
  return { meters, read };
}

test('what is noted between two looks is in the second', async () => {
  const { meters, read } = createSample();
  expect(await read()).toContain('hustings_ballots_total{outcome="counted",code="",log="redis"} 0');
  meters.ballots.noteCounted(2);
  meters.ballots.noteReceipt('counted');
  meters.ballots.noteReceipt('accepted');
  meters.ballots.noteReceipt('stands');
  meters.ballots.noteRepeated();
  meters.ballots.noteRefused('poll_closed');
  meters.ballots.noteRefused('ledger_unavailable');
  meters.batchSeconds.note(0.02);
  expect(await read()).toEqual(
    expect.arrayContaining([
      'hustings_build_info{version="1.2.3"} 1',
      'hustings_board_stale_seconds 1.5',
      'hustings_ballots_total{outcome="counted",code="",log="redis"} 3',
      'hustings_ballots_total{outcome="received",code="",log="redis"} 1',
      'hustings_ballots_total{outcome="repeated",code="",log="redis"} 2',
      'hustings_ballots_total{outcome="refused",code="poll_closed",log="redis"} 1',
      'hustings_ballots_total{outcome="failed",code="ledger_unavailable",log="redis"} 1',
      'hustings_recorder_batch_duration_seconds_bucket{le="0.01"} 0',
      'hustings_recorder_batch_duration_seconds_bucket{le="0.025"} 1',
      'hustings_recorder_batch_duration_seconds_sum 0.02',
    ]),
  );
});

test('a broker that does not tell how long its queue is leaves a gap, and everything else is there', async () => {
  const away = () => Promise.reject(new Error('away'));
  const lines = await createSample({ awayMs: () => 4_000, measure: away, countDead: away }).read();
  expect(lines).toContain('hustings_ingest_log_away_seconds 4');
  expect(lines.filter((line) => /^hustings_ingest_log_(?:waiting|dead|consumers)/u.test(line))).toEqual([]);
});

test('those who look at the same time ask the broker once', async () => {
  let askedCount = 0;
  const measure = () => {
    askedCount += 1;
    return Promise.resolve({ segments: 7, consumers: null });
  };
  const { read } = createSample({ awayMs: () => 0, measure, countDead: () => Promise.resolve(1) });
  const [first, second] = await Promise.all([read(), read()]);
  expect(first).toContain('hustings_ingest_log_waiting_segments 7');
  expect(second).toContain('hustings_ingest_log_dead_letters 1');
  expect(first?.some((line) => line.startsWith('hustings_ingest_log_consumers'))).toBe(false);
  expect(askedCount).toBe(1);
});
