import { expect, test } from 'vitest';
import { createHealth, type HealthParts } from './health.ts';

const sound: HealthParts = { askLedger: () => Promise.resolve(), recorderAwayMs: () => 0, logAwayMs: () => 0 };

test('a process whose ledger answers is ready', async () => {
  expect(await createHealth(sound).check()).toEqual({ ready: true });
});

test.for<[what: string, change: Partial<HealthParts>, reason: string]>([
  ['recording fails', { recorderAwayMs: () => 12.6 }, 'Recording has failed for 13 ms.'],
  [
    'the ledger refuses',
    { askLedger: () => Promise.reject(new Error('x')) },
    'The ledger did not answer within 2000 ms.',
  ],
  [
    'the ledger stays silent',
    { askLedger: () => new Promise(() => {}), answerMsMax: 5 },
    'The ledger did not answer within 5 ms.',
  ],
])('a process is not ready while %s, and says so', async ([, change, reason]) => {
  expect(await createHealth({ ...sound, ...change }).check()).toEqual({ ready: false, reasons: [reason] });
});

test('a process that drains is not ready, whatever the ledger says', async () => {
  const health = createHealth(sound);
  expect(health.draining()).toBe(false);
  health.beginDrain();
  expect(health.draining()).toBe(true);
  expect(await health.check()).toEqual({ ready: false, reasons: ['The server is shutting down.'] });
});
