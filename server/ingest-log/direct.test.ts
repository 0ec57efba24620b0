import { expect, test } from 'vitest';
import { makeBallot, makePoll } from '../poll/test-support.ts';
import { createDirectIngestLog } from './direct.ts';
import type { Outcome, Settle } from './ingest-log.ts';

const ballot = makeBallot(makePoll(), 1);
const counted: Outcome = { kind: 'counted', castAt: 0, version: 1 };

/** A log before a recorder that settles when the test says so. */
function createSample(ballotsWaitingMax = 2) {
  const recorder = { away: 0, stopped: false, settles: [] as Settle[] };
  const log = createDirectIngestLog(
    {
      record: (_ballot, settle) => void recorder.settles.push(settle),
      awayMs: () => recorder.away,
      settledThrough: () => 123,
      stop: () => {
        recorder.stopped = true;
      },
    },
    { ballotsWaitingMax },
  );
  const append = () => {
    const outcomes: Outcome[] = [];
    log.append(ballot, (outcome) => outcomes.push(outcome));
    expect(outcomes).toEqual([]);
    return outcomes;
  };
  return { log, recorder, append };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test('a ballot is settled by the recorder, and waits until then', () => {
  const { log, recorder, append } = createSample();
  const outcomes = append();
  expect(log.waitingCount()).toBe(1);
  recorder.settles[0]?.(counted);
  expect([outcomes, log.waitingCount(), log.settledThrough()]).toEqual([[counted], 0, 123]);
});

test('at its limit the log refuses one more, and takes one again when one is settled', async () => {
  const { log, recorder, append } = createSample(2);
  append();
  append();
  const refused = append();
  await nextTurn();
  expect(refused).toEqual([{ kind: 'failed', code: 'ingest_log_full', recorded: 'no' }]);
  expect([recorder.settles.length, log.waitingCount()]).toEqual([2, 2]);
  recorder.settles[0]?.(counted);
  append();
  expect(recorder.settles).toHaveLength(3);
});

test('while the ledger is away for more than a second the log refuses at once', async () => {
  const { recorder, append } = createSample();
  recorder.away = 1_001;
  const refused = append();
  await nextTurn();
  expect(refused).toEqual([{ kind: 'failed', code: 'ledger_unavailable', recorded: 'no' }]);
  recorder.away = 1_000;
  append();
  expect(recorder.settles).toHaveLength(1);
});

test('a drain refuses what is new and ends with the last ballot, whatever its caller does', async () => {
  const { log, recorder, append } = createSample();
  let drainedCount = 0;
  append();
  log.append(ballot, () => {
    throw new Error('the caller fails');
  });
  const drains = [log.drain(), log.drain()].map((drain) => drain.then(() => (drainedCount += 1)));
  expect(recorder.stopped).toBe(true);
  const refused = append();
  await nextTurn();
  expect(refused).toEqual([{ kind: 'failed', code: 'shutting_down', recorded: 'no' }]);
  recorder.settles[0]?.(counted);
  await nextTurn();
  expect(drainedCount).toBe(0);
  expect(() => recorder.settles[1]?.(counted)).toThrow('the caller fails');
  await Promise.all(drains);
  expect(log.waitingCount()).toBe(0);
});

test('a log without ballots is drained at once', async () => {
  await expect(createSample().log.drain()).resolves.toBeUndefined();
});
