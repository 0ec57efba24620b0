import pino from 'pino';
import { expect, test } from 'vitest';
import { openTestLedger, toBallot, type TestLedger } from '../../test/support/ledger.ts';
import { createDeletion } from './deletion.ts';
import { readBallots } from './export.ts';

const log = pino({ level: 'silent' });
/** More than two steps of a sweep. */
const rowsWanted = 12_000;

/** As if so many ballots had been cast, each in a second of its own. */
async function fill(ledger: TestLedger, pollNo: number): Promise<void> {
  await ledger.pool.query(
    `insert into ballots (cast_at, poll_no, voter_key, ballot_id, selections)
    select clock_timestamp(), $1, gen_random_uuid(), gen_random_uuid(), '1'
    from generate_series(1, $2)`,
    [pollNo, rowsWanted],
  );
  await ledger.pool.query(
    `insert into tally_seconds (second, poll_no, option_no, slot, votes)
    select date_trunc('second', statement_timestamp()) - ordinal * interval '1 second', $1, 1, 1, 1
    from generate_series(1, $2) as ordinal`,
    [pollNo, rowsWanted],
  );
}

/** Rows of the poll in each table that may be swept. */
async function rest(ledger: TestLedger, pollNo: number): Promise<number[]> {
  const [row] = await ledger.rows<{ ballots: number; seconds: number; marks: number }>(
    `select
      (select count(*) from ballots where poll_no = $1) as ballots,
      (select count(*) from tally_seconds where poll_no = $1) as seconds,
      (select count(*) from deleted_polls where poll_no = $1) as marks`,
    [pollNo],
  );
  return row === undefined ? [] : [row.ballots, row.seconds, row.marks];
}

test('a poll is gone at once, and what may be millions of rows follows in steps', async () => {
  const ledger = await openTestLedger();
  const [poll, other] = [await ledger.createPoll(), await ledger.createPoll()];
  await fill(ledger, poll.pollNo);
  await fill(ledger, other.pollNo);
  const deletion = createDeletion(ledger.pool, log);
  await deletion.remove(poll.pollNo);
  expect(await ledger.store.find({ by: 'id', name: poll.id })).toBeNull();
  await expect.poll(() => rest(ledger, poll.pollNo), { timeout: 20_000 }).toEqual([0, 0, 0]);
  expect(await rest(ledger, other.pollNo)).toEqual([rowsWanted, rowsWanted, 0]);
  await deletion.stop();
});

test('a sweep that was stopped is finished by the next one', async () => {
  const ledger = await openTestLedger();
  const poll = await ledger.createPoll();
  await fill(ledger, poll.pollNo);
  const first = createDeletion(ledger.pool, log);
  await first.remove(poll.pollNo);
  await first.stop();
  expect((await rest(ledger, poll.pollNo)).at(-1)).toBe(1);
  const second = createDeletion(ledger.pool, log);
  second.sweep();
  await expect.poll(() => rest(ledger, poll.pollNo), { timeout: 20_000 }).toEqual([0, 0, 0]);
  await second.stop();
});

test('a change of a poll that is gone finds no poll, and a ballot is not taken', async () => {
  const ledger = await openTestLedger();
  const poll = await ledger.createPoll();
  const lane = ledger.createLane();
  const deletion = createDeletion(ledger.pool, log);
  await deletion.remove(poll.pollNo);
  const { pollNo } = poll;
  const absent = { code: 'poll_not_found' };
  await expect(ledger.store.writeLogo(pollNo, { type: 'image/png', bytes: Buffer.alloc(9) })).rejects.toMatchObject(
    absent,
  );
  await expect(ledger.store.writeLogo(pollNo, null)).rejects.toMatchObject(absent);
  await expect(ledger.store.change(pollNo, () => ({ event: 'edited' }))).rejects.toMatchObject(absent);
  expect(await ledger.store.readLogo(pollNo)).toBeNull();
  const { verdicts } = await lane.record('refuse', [toBallot(poll)]);
  expect(verdicts.get(0)).toEqual({ kind: 'not_taken' });
  expect(await ledger.rows('select from ballots')).toEqual([]);
  await deletion.stop();
});

test('an export reads every ballot once, page by page', async () => {
  const ledger = await openTestLedger();
  const poll = await ledger.createPoll();
  await fill(ledger, poll.pollNo);
  const pageSizes: number[] = [];
  const ids = new Set<string>();
  for await (const page of readBallots(ledger.pool, poll.pollNo)) {
    pageSizes.push(page.length);
    for (const { ballotId, selections } of page) {
      ids.add(ballotId);
      expect(selections).toEqual([1]);
    }
  }
  expect(ids.size).toBe(rowsWanted);
  expect(pageSizes.length).toBeGreaterThan(2);
});
