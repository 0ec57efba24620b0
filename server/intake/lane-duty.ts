/**
 * What a lane does with one batch: records it until it is certain what became of it, shows it on the board and settles its
 * ballots. And what it does after the ledger has left it: it asks until that answers.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TallyBoard } from '../board/tally-board.ts';
import type { Outcome } from '../ingest-log/ingest-log.ts';
import type { BallotLane, BallotToRecord, BatchRecorded } from '../ledger/ballot-lane.ts';
import type { Logger } from '../lib/logger.ts';
import { castAtOf, type Ballot } from '../poll/ballot.ts';
import type { Revote } from '../poll/poll.ts';
import { receiptShowsVersion } from '../poll/visibility.ts';
import type { TallyDelta } from '../tally/tally-change.ts';
import type { Waiting } from './batch.ts';
import { countBatch } from './count-batch.ts';
import type { Absence } from '../lib/absence.ts';
import { recordUntilCertain } from './record-until-certain.ts';

/** Called between two steps of recording: a test ends the process there. */
export type OnStep = (step: 'recording' | 'committed' | 'acknowledging') => void;

export type DutyParts = {
  readonly board: TallyBoard;
  /** Hears of every batch that was recorded, after the board. */
  readonly onCounted: (delta: TallyDelta) => void;
  readonly onStep: OnStep;
  readonly absence: Absence;
  readonly log: Logger;
  /** How long a failed batch is tried again. */
  readonly recoveryMsMax: number;
  readonly recoveryPauseMs: number;
};

/**
 * How a batch ended; its ballots are settled in any case. `shown`: recorded and on the board. `hidden`: recorded, and the
 * ledger went away before the board could be read. `lost`: given up.
 */
export type DutyEnd = { readonly kind: 'shown' | 'hidden' } | { readonly kind: 'lost'; readonly cause: unknown };

export type LaneDuty = {
  record(lane: BallotLane, revote: Revote, batch: readonly Waiting[]): Promise<DutyEnd>;
  /** Asks until the ledger answers, or until `givenUp` says so. `onFailure` is called with each failure. */
  awaitLedger(lane: BallotLane, givenUp: () => boolean, onFailure: (cause: unknown) => void): Promise<void>;
};

export function createLaneDuty({
  board,
  onCounted,
  onStep,
  absence,
  log,
  recoveryMsMax,
  recoveryPauseMs,
}: DutyParts): LaneDuty {
  /**
   * Brings the board up to the batch before anybody hears of it, so no read is older than a receipt. Only when the ledger
   * goes away again at this very moment do the receipts come first: what they say is true already.
   */
  async function showOnBoard(batch: readonly Waiting[], recorded: BatchRecorded, inDoubt: boolean): Promise<boolean> {
    const delta = countBatch(batch, recorded);
    const folded = board.fold(delta);
    onCounted(delta);
    // An attempt in doubt may have counted these ballots in a batch that this process never heard of.
    if (!inDoubt && folded !== 'gap') return true;
    try {
      await board.load();
      return true;
    } catch (error) {
      absence.begin();
      log.warn({ err: error }, 'board not loaded');
      return false;
    }
  }

  /** One ballot that cannot be recorded must not keep its neighbours out: each half is tried by itself, down to the one ballot. */
  async function isolate(
    lane: BallotLane,
    revote: Revote,
    batch: readonly Waiting[],
    cause: unknown,
  ): Promise<DutyEnd> {
    if (batch.length === 1) {
      log.error({ err: cause }, 'ballot cannot be recorded');
      settleAll(batch, () => ({ kind: 'failed', code: 'internal', recorded: 'no', cause }), log);
      return { kind: 'shown' };
    }
    const middle = Math.ceil(batch.length / 2);
    const first = await record(lane, revote, batch.slice(0, middle));
    const second = await record(lane, revote, batch.slice(middle));
    return first.kind === 'shown' ? second : first;
  }

  async function record(lane: BallotLane, revote: Revote, batch: readonly Waiting[]): Promise<DutyEnd> {
    const toRecord = batch.map(({ ballot }) => toBallotToRecord(ballot, board));
    onStep('recording');
    const end = await recordUntilCertain(() => lane.record(revote, toRecord), {
      msMax: recoveryMsMax,
      pauseMs: recoveryPauseMs,
      onFailure: (error, inDoubt) => {
        absence.begin();
        log.warn({ err: error, ballots: batch.length, inDoubt }, 'batch failed');
      },
    });
    if (end.kind === 'unrecordable') return isolate(lane, revote, batch, end.cause);
    if (end.kind === 'lost') {
      settleAll(batch, () => toUnavailable(end.inDoubt ? 'unknown' : 'no', end.cause), log);
      return { kind: 'lost', cause: end.cause };
    }
    absence.end();
    onStep('committed');
    const shown = await showOnBoard(batch, end.recorded, end.inDoubt);
    settleAll(batch, (index) => toOutcome(end.recorded, index, toRecord[index]), log);
    return { kind: shown ? 'shown' : 'hidden' };
  }

  return {
    record,
    awaitLedger: createAwaitLedger({ board, absence, log, recoveryPauseMs }),
  };
}

/** An empty batch asks on the very path that the ballots take. What was lost in doubt may be in the ledger, so the board is read anew. */
function createAwaitLedger({
  board,
  absence,
  log,
  recoveryPauseMs,
}: Pick<DutyParts, 'board' | 'absence' | 'log' | 'recoveryPauseMs'>): LaneDuty['awaitLedger'] {
  return async (lane, givenUp, onFailure) => {
    while (!givenUp()) {
      try {
        await lane.record('refuse', []);
        await board.load();
        absence.end();
        return;
      } catch (error) {
        absence.begin();
        onFailure(error);
        log.debug({ err: error }, 'ledger still away');
        await sleep(recoveryPauseMs, undefined, { ref: false });
      }
    }
  };
}

export function toUnavailable(recorded: 'no' | 'unknown', cause: unknown): Outcome {
  return { kind: 'failed', code: 'ledger_unavailable', recorded, cause };
}

/** One caller that fails must not keep the others from their answers. */
export function settleAll(batch: readonly Waiting[], outcomeOf: (index: number) => Outcome, log: Logger): void {
  for (const [index, { settle }] of batch.entries()) {
    try {
      settle(outcomeOf(index));
    } catch (error) {
      log.error({ err: error }, 'answer not given');
    }
  }
}

function toBallotToRecord(ballot: Ballot, board: TallyBoard): BallotToRecord {
  const { pollNo, visibility } = ballot.poll;
  return { ballot, version: receiptShowsVersion(visibility) ? board.versionOf(pollNo) + 1 : null };
}

function toOutcome(recorded: BatchRecorded, index: number, sent: BallotToRecord | undefined): Outcome {
  const verdict = recorded.verdicts.get(index);
  if (verdict?.kind === 'not_taken') return verdict;
  if (verdict?.kind !== 'stands') {
    const castAt = sent === undefined ? recorded.castAt : castAtOf(sent.ballot, recorded.castAt);
    return { kind: 'counted', castAt, version: sent?.version ?? null };
  }
  const { ballotId, castAt, retryKey, selections } = verdict;
  return { kind: 'stands', standing: { ballotId, castAt, version: verdict.version }, retryKey, selections };
}
