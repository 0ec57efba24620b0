/** Single ballots in the ledger, found by receipt or by voter. */
import { isUuidText, toUuidText } from '../lib/uuid-v7.ts';
import type { ErrorCode } from '../errors.ts';
import type { Pool } from './postgres.ts';

export type LedgerBallot = {
  readonly ballotId: string;
  readonly pollNo: number;
  readonly pollId: string;
  readonly castAt: number;
  readonly version: number | null;
  /** A superseded ballot was accepted, and a later one of the same voter counts in its place. */
  readonly status: 'counted' | 'superseded';
};

/** What became of an accepted ballot, with what it selects as `toSelectionsText` writes it: for whoever cast it, and nobody else. */
export type BallotOutcome = (LedgerBallot & { readonly selections: string }) | RefusedBallot;

/** An accepted ballot that was refused when it was recorded. */
export type RefusedBallot = Pick<LedgerBallot, 'ballotId' | 'pollNo' | 'castAt'> & {
  /** null where the poll was deleted. */
  readonly pollId: string | null;
  readonly status: 'failed';
  readonly reason: ErrorCode;
};

export type BallotStore = {
  /** null for a malformed id, too: nobody holds a receipt with it. */
  find(ballotId: string): Promise<LedgerBallot | null>;
  /** What became of these ballots, as far as it is decided; a ballot is named once. Ids in their canonical text. */
  findOutcomes(ballotIds: readonly string[]): Promise<BallotOutcome[]>;
  /** How many accepted ballots of the poll were refused when they were recorded, by reason. */
  countRefusals(pollNo: number): Promise<ReadonlyMap<string, number>>;
  /** The counted ballot of a voter. */
  findCounted(pollNo: number, voterKey: Buffer): Promise<LedgerBallot | null>;
  hasCounted(pollNo: number, voterKey: Buffer): Promise<boolean>;
};

const outcomesQuery = `select distinct on (found.ballot_id)
  found.ballot_id as "ballotId",
  found.poll_no as "pollNo",
  polls.id as "pollId",
  found.cast_at as "castAt",
  found.version,
  found.status,
  found.selections,
  found.reason
from (
  select ballot_id, poll_no, cast_at, version, 'counted' as status, selections, null as reason, 1 as place
  from ballots where ballot_id = any ($1::uuid[])
  union all
  select ballot_id, poll_no, cast_at, version, 'superseded', selections, null, 2
  from ballot_history where ballot_id = any ($1::uuid[])
  union all
  select ballot_id, poll_no, accepted_at, null, 'failed', null, reason, 3
  from ballot_refusals where ballot_id = any ($1::uuid[])
) as found
left join polls on polls.poll_no = found.poll_no
where polls.poll_no is not null or found.status = 'failed'
order by found.ballot_id, found.place`;

export function createBallotStore(pool: Pool): BallotStore {
  return {
    async find(ballotId) {
      if (!isUuidText(ballotId)) return null;
      const { rows } = await pool.query<LedgerBallot>(
        `select
          found.ballot_id as "ballotId",
          found.poll_no as "pollNo",
          polls.id as "pollId",
          found.cast_at as "castAt",
          found.version,
          found.status
        from (
          select ballot_id, poll_no, cast_at, version, 'counted' as status from ballots where ballot_id = $1
          union all
          select ballot_id, poll_no, cast_at, version, 'superseded' from ballot_history where ballot_id = $1
        ) as found
        join polls on polls.poll_no = found.poll_no
        order by found.status
        limit 1`,
        [ballotId],
      );
      return rows[0] ?? null;
    },
    async findOutcomes(ballotIds) {
      const { rows } = await pool.query<BallotOutcome>(outcomesQuery, [ballotIds]);
      return rows;
    },
    async countRefusals(pollNo) {
      const { rows } = await pool.query<{ reason: string; count: number }>(
        'select reason, count(*) as count from ballot_refusals where poll_no = $1 group by reason',
        [pollNo],
      );
      return new Map(rows.map(({ reason, count }) => [reason, count]));
    },
    async findCounted(pollNo, voterKey) {
      const { rows } = await pool.query<LedgerBallot>(
        `select
          ballots.ballot_id as "ballotId",
          ballots.poll_no as "pollNo",
          polls.id as "pollId",
          ballots.cast_at as "castAt",
          ballots.version,
          'counted' as status
        from ballots
        join polls on polls.poll_no = ballots.poll_no
        where ballots.poll_no = $1 and ballots.voter_key = $2`,
        [pollNo, toUuidText(voterKey)],
      );
      return rows[0] ?? null;
    },
    async hasCounted(pollNo, voterKey) {
      const { rows } = await pool.query('select 1 from ballots where poll_no = $1 and voter_key = $2', [
        pollNo,
        toUuidText(voterKey),
      ]);
      return rows.length === 1;
    },
  };
}
