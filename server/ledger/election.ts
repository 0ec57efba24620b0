/** The votes of the contract `election`, as its views tell of them. */
import type { ErrorCode } from '../errors.ts';
import type { Pool } from './postgres.ts';

export type ElectionVote = {
  readonly voteId: string;
  /** null where the poll no longer has the option. */
  readonly candidateId: string | null;
  readonly status: 'processed' | 'failed';
  /** Why it failed: a code of the error table, or `already_voted`. */
  readonly reason: string | null;
  /** Milliseconds since 1970 by the ledger's clock: when it was accepted. */
  readonly at: number;
};

export type RefusedBallot = {
  readonly ballotId: string;
  readonly pollNo: number;
  readonly optionNo: number;
  readonly reason: ErrorCode;
  readonly acceptedAt: number;
};

export type ElectionStore = {
  /** null: no such vote has its outcome. The id must be a UUID. */
  findVote(voteId: string): Promise<ElectionVote | null>;
  /** Keeps why an accepted ballot does not count. Kept once, however often. */
  keepRefusal(refused: RefusedBallot): Promise<void>;
};

export function createElectionStore(pool: Pool): ElectionStore {
  return {
    async findVote(voteId) {
      const { rows } = await pool.query<ElectionVote>(
        `select
          vote_id as "voteId",
          candidate_id as "candidateId",
          processing_status as "status",
          reason,
          "timestamp" as "at"
        from election.votes
        where vote_id = $1`,
        [voteId],
      );
      return rows[0] ?? null;
    },
    async keepRefusal({ ballotId, pollNo, optionNo, reason, acceptedAt }) {
      await pool.query(
        `insert into ballot_refusals (ballot_id, poll_no, reason, accepted_at, selections)
        values ($1, $2, $3, $4, $5)
        on conflict do nothing`,
        [ballotId, pollNo, reason, new Date(acceptedAt), String(optionNo)],
      );
    },
  };
}
