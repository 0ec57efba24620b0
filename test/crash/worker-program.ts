/**
 * A worker that ends itself with `kill -9` between two steps of its work. Whoever started it says at which step by a message
 * `{ step, chance }`: from then on it dies there with this chance, each time it comes by.
 */
import process from 'node:process';
import pino from 'pino';
import { parseConfig } from '../../server/config.ts';
import type { OnStep } from '../../server/intake/lane-duty.ts';
import { startWorker } from '../../server/run-worker.ts';
import { workerReadyText } from './program.ts';
import { createRandom } from './random.ts';

export type FailStep = Parameters<OnStep>[0];
export type FailPoint = { readonly step: FailStep; readonly chance: number; readonly seed: number };

if (import.meta.main) await work();

async function work(): Promise<void> {
  let failPoint: FailPoint | null = null;
  let random = createRandom(0);
  const config = parseConfig({ argv: process.argv.slice(2), env: process.env });
  const log = pino({ level: config.logLevel, base: null }, pino.destination({ dest: 2, sync: true }));
  await startWorker(config, {
    log,
    onProgress: () => undefined,
    onLost: (error) => {
      throw error;
    },
    onStep(step) {
      if (failPoint?.step === step && random() < failPoint.chance) process.kill(process.pid, 'SIGKILL');
    },
  });
  process.on('message', (message) => {
    failPoint = message as FailPoint; // What the test sends.
    random = createRandom(failPoint.seed);
  });
  // With whoever started it, it ends as well.
  process.on('disconnect', () => process.exit(1));
  process.stdout.write(`${workerReadyText}\n`);
}
