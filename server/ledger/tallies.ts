/** Tallies as the ledger keeps them: what a board is built from, and what the count over the ballots must equal. */
import type { LedgerState, StoredSecond, StoredTally } from '../tally/ledger-state.ts';
import { inTransaction, type Pool } from './postgres.ts';

/**
 * Waits for the batches that are under way now, whoever sent them: what a killed server told the database last
 * may be committed after its death, and a reading that begins later holds it.
 */
export async function awaitRecording(pool: Pool): Promise<void> {
  await inTransaction(pool, (client) => client.query('select lock_schedules()'));
}

/** The number of the last batch of each slot. */
export async function readSlots(pool: Pool): Promise<Map<number, number>> {
  const { rows } = await pool.query<{ slot: number; batch_no: number }>('select slot, batch_no from slots');
  return new Map(rows.map((row) => [row.slot, row.batch_no]));
}

/** Everything that a board shows, as of one snapshot. The ballots themselves are not read. */
export function readLedgerState(pool: Pool): Promise<LedgerState> {
  return inTransaction(pool, async (client) => {
    await client.query('set transaction isolation level repeatable read read only');
    const slots = await client.query<{ slot: number; batch_no: number }>('select slot, batch_no from slots');
    const tallies = await client.query<StoredTally>(`
      select
        poll_no as "pollNo",
        option_no as "optionNo",
        sum(votes)::bigint as votes,
        sum(ballots)::bigint as ballots,
        sum(changes)::bigint as changes
      from tallies
      group by poll_no, option_no
    `);
    const seconds = await client.query<StoredSecond>(`
      select
        poll_no as "pollNo",
        option_no as "optionNo",
        extract(epoch from second)::bigint as second,
        sum(votes)::bigint as votes
      from tally_seconds
      where second > clock_timestamp() - interval '10 minutes'
        and not exists (select from deleted_polls where deleted_polls.poll_no = tally_seconds.poll_no)
      group by poll_no, option_no, second
      order by second
    `);
    return {
      batchNoBySlot: new Map(slots.rows.map((row) => [row.slot, row.batch_no])),
      tallies: tallies.rows,
      seconds: seconds.rows,
    };
  });
}

export type TallyMismatch = { poll: string; option: string | null; tallied: number; counted: number };

/** Compares every tally with the count over the ballots (minutes for many millions). Empty when the ledger is consistent. */
export async function findTallyMismatches(pool: Pool): Promise<TallyMismatch[]> {
  return inTransaction(pool, async (client) => {
    await client.query('set transaction isolation level repeatable read read only');
    await client.query('set local statement_timeout = 0');
    const { rows } = await client.query<TallyMismatch>({
      text: `
        with counted as (
          select ballots.poll_no, coalesce(selected::smallint, 0) as option_no, count(*) as votes
          from ballots
          left join lateral unnest(string_to_array(ballots.selections, ',')) as selected on true
          group by 1, 2
        ), tallied as (
          select poll_no, option_no, sum(case when option_no = 0 then ballots else votes end) as votes
          from tallies
          group by 1, 2
        ), timed as (
          select poll_no, option_no, sum(votes) as votes
          from tally_seconds
          group by 1, 2
        )
        select
          polls.slug as poll,
          options.id as option,
          coalesce(tallied.votes, 0)::bigint as tallied,
          coalesce(counted.votes, 0)::bigint as counted
        from counted
        full join tallied using (poll_no, option_no)
        full join timed using (poll_no, option_no)
        join polls using (poll_no)
        left join options using (poll_no, option_no)
        where coalesce(tallied.votes, 0) <> coalesce(counted.votes, 0)
          or (option_no > 0 and coalesce(timed.votes, 0) <> coalesce(counted.votes, 0))
        order by polls.poll_no, option_no`,
    });
    return rows;
  });
}
