/** The counted ballots of a poll, page by page in the order of their keys, so that a million of them never sits in memory. */
import { parseSelectionsText } from '../poll/ballot.ts';
import type { Pool } from './postgres.ts';

export type ExportedBallot = {
  readonly ballotId: string;
  readonly castAt: number;
  /** Option numbers. */
  readonly selections: readonly number[];
};

const pageSize = 2_000;

/**
 * Yields pages. A ballot that is cast meanwhile may be missing. Who cast it is not told: the order is that of the voter keys,
 * which are made with a secret, so that not even the order of casting shows.
 */
export async function* readBallots(pool: Pool, pollNo: number): AsyncGenerator<ExportedBallot[]> {
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const { rows } = await pool.query<{ ballot_id: string; cast_at: number; selections: string; voter_key: string }>(
      `select ballot_id, cast_at, selections, voter_key
      from ballots
      where poll_no = $1 and voter_key > $2
      order by voter_key
      limit ${pageSize}`,
      [pollNo, after],
    );
    if (rows.length > 0) {
      yield rows.map((row) => ({
        ballotId: row.ballot_id,
        castAt: row.cast_at,
        selections: parseSelectionsText(row.selections),
      }));
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageSize) return;
    after = last.voter_key;
  }
}
