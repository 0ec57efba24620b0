/** A worker as a process of its own: it records what comes out of the log, and tells the servers. */
import type { Config } from './config.ts';
import type { OnStep } from './intake/lane-duty.ts';
import { learn } from './known.ts';
import type { Logger } from './lib/logger.ts';
import { SettingError } from './lib/setting-table.ts';
import { openRecorder, openWorker } from './open-intake.ts';
import { openLedger, type LedgerOptions } from './open-ledger.ts';
import { openSegmentLog } from './open-log.ts';
import { createDrain } from './ops/drain.ts';

export type RunningWorker = {
  /** Segments in hand. */
  inHandCount(): number;
  /** Finishes the segments in hand, acknowledges them, and ends. */
  stop(): Promise<void>;
};

export type WorkerOptions = LedgerOptions & { readonly log: Logger; readonly onStep?: OnStep };

/** @throws {Error} one line for whoever starts the worker: what is wrong with the database or the broker */
export async function startWorker(config: Config, options: WorkerOptions): Promise<RunningWorker> {
  const { log, onStep } = options;
  const choice = config.ingestLog;
  if (choice.name === 'direct') {
    throw new SettingError(
      'A worker needs a broker: --queue redis, rabbitmq or kafka. Without one the server records itself.',
    );
  }
  const ledger = await openLedger(config, { ...options, joins: true });
  try {
    const known = await learn(config, ledger, log);
    const segments = await openSegmentLog(choice, config, log);
    const parts = { config, ledger, known, log, ...(onStep === undefined ? {} : { onStep }) };
    const recorder = openRecorder(parts);
    const worker = openWorker(parts, segments, recorder);
    known.start();
    await worker.start();
    return {
      inHandCount: worker.inHandCount,
      stop: createDrain({ timeoutMs: config.drainTimeoutMs, log }, [
        ['worker', worker.stop],
        ['recorder', recorder.close],
        ['broker', segments.close],
        ...known.ends,
        ['ledger', ledger.close],
      ]),
    };
  } catch (error) {
    await ledger.close();
    throw error;
  }
}
