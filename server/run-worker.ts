/** A worker as a process of its own: it records what comes out of the log, and tells the servers. */
import type { Config } from './config.ts';
import type { OnStep } from './intake/lane-duty.ts';
import { createMeters } from './intake/meters.ts';
import { learn } from './known.ts';
import type { Logger } from './lib/logger.ts';
import { SettingError } from './lib/setting-table.ts';
import { openRecorder, openWorker } from './open-intake.ts';
import { openLedger, type LedgerOptions } from './open-ledger.ts';
import { openSegmentLog } from './open-log.ts';
import { openMetrics } from './open-metrics.ts';
import { createDrain } from './ops/drain.ts';
import { createHealth } from './ops/health.ts';

export type RunningWorker = {
  /** Segments in hand. */
  inHandCount(): number;
  /** The port of Prometheus and probes; null where metrics are off. */
  readonly metricsPort: number | null;
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
    // Whoever serves results looks after the nodes of the shared board.
    const known = await learn({ ...config, ring: null }, ledger, log);
    const segments = await openSegmentLog(choice, config, log);
    const meters = createMeters(choice.name);
    const parts = { config, ledger, known, log, meters, ...(onStep === undefined ? {} : { onStep }) };
    const recorder = openRecorder(parts);
    const worker = openWorker(parts, segments, recorder);
    known.start();
    await worker.start();
    const away = {
      recorderAwayMs: recorder.recorder.awayMs,
      logAwayMs: segments.awayMs,
      boardStaleMs: known.boardStaleMs,
    };
    const health = createHealth({
      ...away,
      logAwayReason: () => segments.awayReason?.() ?? null,
      askLedger: () => ledger.pool.query('select 1'),
    });
    const metrics = await openMetrics(config, { ...away, meters, ledger, segments, worker, server: null, health, log });
    return {
      inHandCount: worker.inHandCount,
      metricsPort: metrics?.port ?? null,
      stop: createDrain({ timeoutMs: config.drainTimeoutMs, log }, [
        ['health', health.beginDrain],
        ['worker', worker.stop],
        ['recorder', recorder.close],
        ['broker', segments.close],
        ...known.ends,
        ['metrics', () => metrics?.close()],
        ['ledger', ledger.close],
      ]),
    };
  } catch (error) {
    await ledger.close();
    throw error;
  }
}
