/** The direct log hands each ballot to the recorder of this process: no buffer between accepting and counting but memory. */
import type { IngestLog, Outcome, Recorder } from './ingest-log.ts';

export type DirectLogOptions = {
  /** Ballots taken and not settled; one more is refused with `ingest_log_full`. */
  readonly ballotsWaitingMax: number;
};

/** How long the ledger may be away before new ballots are refused at once instead of waiting for it. */
const awayMsMax = 1_000;

export function createDirectIngestLog(recorder: Recorder, options: DirectLogOptions): IngestLog {
  let waitingCount = 0;
  let draining = false;
  const drained = Promise.withResolvers<void>();

  function refusal(): Outcome | null {
    if (draining) return { kind: 'failed', code: 'shutting_down', recorded: 'no' };
    if (waitingCount >= options.ballotsWaitingMax) return { kind: 'failed', code: 'ingest_log_full', recorded: 'no' };
    if (recorder.awayMs() > awayMsMax) return { kind: 'failed', code: 'ledger_unavailable', recorded: 'no' };
    return null;
  }

  return {
    name: 'direct',
    acknowledges: 'outcome',
    survivesRestart: false,
    append(ballot, settle) {
      const refused = refusal();
      if (refused !== null) {
        queueMicrotask(() => settle(refused));
        return;
      }
      waitingCount += 1;
      recorder.record(ballot, (outcome) => {
        waitingCount -= 1;
        try {
          settle(outcome);
        } finally {
          if (draining && waitingCount === 0) drained.resolve();
        }
      });
    },
    drain() {
      draining = true;
      recorder.stop();
      if (waitingCount === 0) drained.resolve();
      return drained.promise;
    },
    settledThrough: recorder.settledThrough,
    waitingCount: () => waitingCount,
  };
}
