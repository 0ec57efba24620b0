/** A ledger and what records to it, as a worker has them, on a log that the test chooses. */
import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { onTestFinished } from 'vitest';
import { parseConfig } from '../../server/config.ts';
import { createOutstanding } from '../../server/ingest-log/outstanding.ts';
import { createQueuedIngestLog, type QueuedLog } from '../../server/ingest-log/queued.ts';
import type { SegmentLog } from '../../server/ingest-log/segment-log.ts';
import type { Worker } from '../../server/intake/worker.ts';
import { learn } from '../../server/known.ts';
import { openRecorder, openWorker } from '../../server/open-intake.ts';
import { openLedger } from '../../server/open-ledger.ts';
import { createDrain } from '../../server/ops/drain.ts';
import { openTestLedger, type TestLedger } from '../support/ledger.ts';

export type Recording = {
  readonly ledger: TestLedger;
  /** What accepts ballots for this ledger. */
  createIntake(segments: Pick<SegmentLog, 'name' | 'append' | 'appendsMax'>): QueuedLog;
  /** Begins to record what comes out of the log. It ends with the test. */
  startWorker(segments: SegmentLog): Promise<Worker>;
  readState(): Promise<LedgerState>;
};

/** What must not depend on the order of deliveries, nor on repeats. */
export type LedgerState = {
  readonly ballots: readonly object[];
  readonly history: readonly object[];
  readonly refusals: readonly object[];
  readonly tallies: readonly object[];
  /** By the seconds in which the counted ballots were accepted. */
  readonly votesBySecond: number;
};

const silent = pino({ level: 'silent' });

export async function openRecording(): Promise<Recording> {
  const ledger = await openTestLedger();
  const config = parseConfig({ argv: ['--preset', 'none'], env: { DATABASE_URL: ledger.url } });
  const options = { log: silent, onProgress: () => undefined, onLost: () => undefined };
  const opened = await openLedger(config, options);
  const known = await learn(config, opened, silent);
  known.start();
  const parts = { config, ledger: opened, known, log: silent };
  onTestFinished(createDrain({ timeoutMs: 10_000, log: silent }, [...known.ends, ['ledger', opened.close]]));
  return {
    ledger,
    createIntake(segments) {
      const limits = { ballotsWaitingMax: 100_000, segmentsWaitingMax: 100_000, segmentBallotsMax: 1_000 };
      const always = {
        outstanding: createOutstanding(),
        clockErrorMs: () => 0,
        backlog: () => 0,
        settledThrough: () => 0,
      };
      return createQueuedIngestLog(
        { segments, ...always, log: silent },
        { ledger: known.epoch, nodeId: randomBytes(16), ...limits },
      );
    },
    async startWorker(segments) {
      const recorder = openRecorder(parts);
      const worker = openWorker(parts, segments, recorder);
      onTestFinished(async () => {
        await worker.stop();
        await recorder.close();
      });
      await worker.start();
      return worker;
    },
    readState: () => readState(ledger),
  };
}

async function readState({ rows }: TestLedger): Promise<LedgerState> {
  const columns = 'poll_no, voter_key, ballot_id, selections';
  const [sum] = await rows<{ votes: number }>('select coalesce(sum(votes), 0)::integer as votes from tally_seconds');
  return {
    ballots: await rows(`select ${columns} from ballots order by poll_no, voter_key`),
    // Their order is that of the acceptances, so it must be the same, too.
    history: await rows(`select ${columns}, accepted_us from ballot_history order by poll_no, voter_key, ballot_id`),
    refusals: await rows('select ballot_id, reason from ballot_refusals order by ballot_id'),
    tallies: await rows(
      'select poll_no, option_no, sum(votes)::integer as votes from tallies group by 1, 2 having sum(votes) <> 0 order by 1, 2',
    ),
    votesBySecond: sum?.votes ?? 0,
  };
}
