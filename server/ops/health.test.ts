import { expect, test } from 'vitest';
import { createHealth, toReadinessBody, type HealthPart, type HealthParts } from './health.ts';

const sound: HealthParts = {
  askLedger: () => Promise.resolve(),
  recorderAwayMs: () => 0,
  logAwayMs: () => 0,
  boardStaleMs: () => 2_000,
};
const parts = { ledger: 'ok', log: 'ok', board: 'ok' };

test('a process whose ledger answers is ready', async () => {
  const readiness = await createHealth(sound).check();
  expect(readiness).toEqual({ ready: true, reasons: [], parts });
  expect(toReadinessBody(readiness)).toEqual({ status: 'ready', ...parts });
});

test.for<[what: string, part: HealthPart, change: Partial<HealthParts>, reason: string]>([
  ['recording fails', 'ledger', { recorderAwayMs: () => 12.6 }, 'Recording has failed for 13 ms.'],
  [
    'the ledger refuses',
    'ledger',
    { askLedger: () => Promise.reject(new Error('x')) },
    'The ledger did not answer within 2000 ms.',
  ],
  [
    'the ledger stays silent',
    'ledger',
    { askLedger: () => new Promise(() => {}), answerMsMax: 5 },
    'The ledger did not answer within 5 ms.',
  ],
  ['the broker is away', 'log', { logAwayMs: () => 7.2 }, 'The ingest log has not answered for 7 ms.'],
  [
    'the broker refuses',
    'log',
    { logAwayMs: () => 7.2, logAwayReason: () => 'it asks for TLS.' },
    'The ingest log has not answered for 7 ms: it asks for TLS.',
  ],
  [
    'the board falls behind',
    'board',
    { boardStaleMs: () => 10_001 },
    'The board has not been seen to have the whole ledger for 10001 ms.',
  ],
])('a process is not ready while %s, and says so of that part', async ([, part, change, reason]) => {
  const readiness = await createHealth({ ...sound, ...change }).check();
  expect(readiness).toEqual({ ready: false, reasons: [reason], parts: { ...parts, [part]: reason } });
  expect(toReadinessBody(readiness)).toMatchObject({ status: 'not_ready', reasons: [reason], [part]: reason });
});

test('a process that drains is not ready, whatever the ledger says', async () => {
  const health = createHealth(sound);
  expect(health.draining()).toBe(false);
  health.beginDrain();
  expect(health.draining()).toBe(true);
  expect(await health.check()).toEqual({ ready: false, reasons: ['The server is shutting down.'], parts });
});
