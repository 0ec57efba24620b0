/** A ledger in memory with lanes that fail as real ones do, for tests of what stands before it. */
import pg from 'pg';
import type { BallotLane, BallotToRecord, BatchRecorded, Verdict } from '../ledger/ballot-lane.ts';
import { BatchFailed } from '../ledger/batch-failure.ts';
import type { Logger } from '../lib/logger.ts';
import { toUuidText } from '../lib/uuid-v7.ts';
import { toSelectionsText, type Ballot } from '../poll/ballot.ts';
import type { LedgerState } from '../tally/ledger-state.ts';

/**
 * How one attempt goes. `refused`: nothing is recorded and the lane knows it. `lost_before` and `lost_after`: the connection
 * breaks before or after the COMMIT, and the lane cannot tell which.
 */
export type Attempt = 'recorded' | 'refused' | 'lost_before' | 'lost_after';

export type FakeLedger = {
  /** What the next attempts do, in their order, on whichever lane; then all are recorded. */
  attempts: Attempt[];
  /** The ids of ballots that no batch can hold: the database refuses what is in them. */
  readonly unrecordable: Set<string>;
  /** How many of the next readings of the tallies fail. */
  readingsToFail: number;
  /** By poll and voter. */
  readonly counted: Map<string, Row>;
  /** Every accepted ballot that may be replaced, by poll, voter and retry key. */
  readonly history: Map<string, Row>;
  /** What was sent to the lanes, whatever became of it. */
  readonly batches: (readonly BallotToRecord[])[];
};

export type Row = { readonly ballot: Ballot; readonly castAt: number; readonly version: number | null };

export const silentLog: Logger = { debug: noLog, info: noLog, warn: noLog, error: noLog };

function noLog(): void {
  // What fails on purpose needs no line.
}

export function createFakeLedger(now: () => number) {
  const ledger: FakeLedger = {
    attempts: [],
    unrecordable: new Set(),
    readingsToFail: 0,
    counted: new Map(),
    history: new Map(),
    batches: [],
  };
  const batchNoBySlot = new Map<number, number>();

  function commit(slot: number, batch: readonly BallotToRecord[]): BatchRecorded {
    const castAt = now();
    const batchNo = (batchNoBySlot.get(slot) ?? 0) + 1;
    batchNoBySlot.set(slot, batchNo);
    const verdicts = new Map<number, Verdict>();
    for (const [index, { ballot, version }] of batch.entries()) {
      const verdict = take(ledger, { ballot, castAt, version });
      if (verdict !== null) verdicts.set(index, verdict);
    }
    return { castAt, slot, batchNo, verdicts };
  }

  return {
    ledger,
    createLane: (slot: number): BallotLane => ({
      async record(_revote, batch) {
        // A round trip takes at least one turn of the event loop.
        await new Promise((resolve) => setImmediate(resolve));
        ledger.batches.push(batch);
        const attempt = ledger.attempts.shift() ?? 'recorded';
        if (attempt === 'refused') throw new BatchFailed('no', new Error(attempt));
        if (attempt === 'lost_before') throw new BatchFailed('unknown', new Error(attempt));
        if (batch.some(({ ballot }) => ledger.unrecordable.has(toUuidText(ballot.id)))) {
          throw new BatchFailed('no', toNumericOverflow());
        }
        const recorded = commit(slot, batch);
        if (attempt === 'lost_after') throw new BatchFailed('unknown', new Error(attempt));
        return recorded;
      },
      close: () => Promise.resolve(),
    }),
    async readState(): Promise<LedgerState> {
      const state = toState(ledger, batchNoBySlot, now());
      await new Promise((resolve) => setImmediate(resolve));
      if (ledger.readingsToFail === 0) return state;
      ledger.readingsToFail -= 1;
      throw new Error('The ledger is away.');
    },
  };
}

/** The rules of the ledger for one ballot. Null: recorded and counted, and nothing more to say. */
function take({ counted, history }: FakeLedger, row: Row): Verdict | null {
  const { ballot } = row;
  const voter = `${ballot.poll.pollNo} ${ballot.voterKey.toString('hex')}`;
  const standing = counted.get(voter);
  if (ballot.poll.revote === 'refuse') {
    if (standing !== undefined) return toStands(standing);
    counted.set(voter, row);
    return null;
  }
  const attempt = `${voter} ${(ballot.retryKey ?? ballot.id).toString('hex')}`;
  const earlier = history.get(attempt);
  if (earlier !== undefined) return toStands(earlier);
  history.set(attempt, row);
  if (standing !== undefined && Buffer.compare(ballot.id, standing.ballot.id) < 0) return { kind: 'overtaken' };
  counted.set(voter, row);
  if (standing === undefined) return null;
  return { kind: 'supersedes', castAt: standing.castAt, selections: toSelectionsText(standing.ballot.selections) };
}

/** Of single-choice ballots that were all cast within one second, which is enough for the tests. */
function toState({ counted, history }: FakeLedger, batchNoBySlot: Map<number, number>, now: number): LedgerState {
  const votes = [...counted.values()].map(({ ballot }) => ({
    pollNo: ballot.poll.pollNo,
    optionNo: ballot.selections[0] ?? 0,
    second: Math.floor(now / 1000),
    votes: 1,
  }));
  const superseded = [...history.values()].filter((row) => ![...counted.values()].includes(row));
  return {
    batchNoBySlot: new Map(batchNoBySlot),
    tallies: [
      ...[...Map.groupBy(votes, ({ pollNo, optionNo }) => `${pollNo} ${optionNo}`).values()].map((same) => ({
        pollNo: same[0]?.pollNo ?? 0,
        optionNo: same[0]?.optionNo ?? 0,
        votes: same.length,
        ballots: same.length,
        changes: same.length,
      })),
      ...superseded.map(({ ballot }) => ({
        pollNo: ballot.poll.pollNo,
        optionNo: 0,
        votes: 0,
        ballots: 0,
        changes: 1,
      })),
    ],
    seconds: votes,
  };
}

function toStands({ ballot, castAt, version }: Row): Verdict {
  return {
    kind: 'stands',
    ballotId: toUuidText(ballot.id),
    retryKey: ballot.retryKey === null ? null : toUuidText(ballot.retryKey),
    castAt,
    version,
    selections: toSelectionsText(ballot.selections),
  };
}

/** numeric_value_out_of_range, as PostgreSQL reports it. */
function toNumericOverflow(): pg.DatabaseError {
  const error = new pg.DatabaseError('value "65535" is out of range for type smallint', 0, 'error');
  error.code = '22003';
  return error;
}
