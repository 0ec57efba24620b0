import { expect, test } from 'vitest';
import { get } from '../../test/support/http.ts';
import { openTestLedger, toBallot } from '../../test/support/ledger.ts';
import { startOn } from '../../test/support/server.ts';

/** The database works on what a killed server told it last, and may be done with it only after the next one has read the tallies. */
test('a batch of a killed server that is committed while the next one starts, or later, reaches its tally', async () => {
  const ledger = await openTestLedger();
  const poll = await ledger.createPoll();
  const killed = ledger.createLane();
  await killed.record('refuse', []);
  const blocker = await ledger.pool.connect();
  await blocker.query('begin');
  await blocker.query('select 1 from slots for update');
  const untilWaiting = (count: number): Promise<void> =>
    expect
      .poll(
        () =>
          ledger.rows("select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"),
        { interval: 5 },
      )
      .toHaveLength(count);
  const last = killed.record('refuse', [toBallot(poll)]);
  await untilWaiting(1);
  const starting = startOn(ledger.url, ['--preset', 'none']);
  await Promise.race([starting, untilWaiting(2)]);
  await blocker.query('rollback');
  blocker.release();
  await last;
  const { url } = await starting;
  const readTally = async (): Promise<unknown> => (await get(`${url}/api/v1/polls/${poll.id}/tally`)).json;
  await expect.poll(readTally).toMatchObject({ total: 1 });
});
