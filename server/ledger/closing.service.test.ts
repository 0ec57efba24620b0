import { expect, test } from 'vitest';
import { openTestLedger, toBallot, toBatch, type TestLedger } from '../../test/support/ledger.ts';
import { startPostgresProxy } from '../../test/support/postgres-proxy.ts';
import { createManagePoll } from '../intake/manage-poll.ts';
import type { Poll } from '../poll/poll.ts';
import { closePoll, extendPoll, type Step } from '../poll/schedule.ts';
import type { BallotLane } from './ballot-lane.ts';
import { createPollDirectory } from './poll-directory.ts';

const laneCount = 4;
const batchBallots = 50;
/** Times that come while ballots are recorded lie so far ahead of the one that is counted when they are set. */
const soonMs = 300;

type Attempts = { readonly counted: number; readonly notTaken: number };

/** Sends batch after batch until `isEnough` is content. */
async function record(lane: BallotLane, poll: Poll, isEnough: (attempts: Attempts) => boolean): Promise<Attempts> {
  let attempts: Attempts = { counted: 0, notTaken: 0 };
  while (!isEnough(attempts)) {
    const { verdicts } = await lane.record(
      'refuse',
      toBatch(Array.from({ length: batchBallots }, () => toBallot(poll))),
    );
    expect([...verdicts.values()].every(({ kind }) => kind === 'not_taken')).toBe(true);
    attempts = {
      counted: attempts.counted + batchBallots - verdicts.size,
      notTaken: attempts.notTaken + verdicts.size,
    };
  }
  return attempts;
}

async function recordOnAll(
  ledger: TestLedger,
  poll: Poll,
  isEnough: (attempts: Attempts) => boolean,
): Promise<Attempts> {
  const lanes = Array.from({ length: laneCount }, () => ledger.createLane());
  const all = await Promise.all(lanes.map((lane) => record(lane, poll, isEnough)));
  return all.reduce((sum, { counted, notTaken }) => ({
    counted: sum.counted + counted,
    notTaken: sum.notTaken + notTaken,
  }));
}

/** How many ballots the ledger counts, and how many of them outside of the poll's times. */
async function readRows({ rows }: TestLedger, { pollNo }: Poll) {
  const [counts] = await rows<{ counted: number; outside: number }>(
    `select
      count(*) as counted,
      count(*) filter (where cast_at < opens_at or cast_at >= closes_at) as outside
    from ballots join polls using (poll_no)
    where poll_no = $1`,
    [pollNo],
  );
  return counts ?? { counted: 0, outside: 0 };
}

function change({ store }: TestLedger, { pollNo }: Poll, step: (poll: Poll, now: number) => Step): Promise<Poll> {
  return store.change(pollNo, (standing, now) => {
    const taken = step(standing, now);
    if ('refused' in taken) throw new Error(taken.refused);
    return { schedule: taken.schedule, event: step.name };
  });
}

test.for(['by time', 'by hand'] as const)(
  'while a poll closes %s under a thousand ballots, none counts from the close on, and none of those told otherwise',
  async (way) => {
    const ledger = await openTestLedger();
    const step = way === 'by hand' ? closePoll : (poll: Poll, now: number) => extendPoll(poll, now, now + soonMs);
    for (let round = 0; round < 4; round += 1) {
      const poll = await ledger.createPoll();
      const closings: Promise<Poll>[] = [];
      const attempts = await recordOnAll(ledger, poll, ({ counted, notTaken }) => {
        if (counted >= 1_000 && closings.length === 0) closings.push(change(ledger, poll, step));
        return notTaken >= 100;
      });
      await Promise.all(closings);
      const { counted, outside } = await readRows(ledger, poll);
      expect([counted, outside]).toEqual([attempts.counted, 0]);
      expect(attempts.notTaken).toBeGreaterThanOrEqual(laneCount * 100);
    }
  },
);

test('while a poll opens by time under many ballots, none counts before', async () => {
  const ledger = await openTestLedger();
  const poll = await ledger.createPoll({ opensAt: null });
  const openings: Promise<Poll>[] = [];
  const attempts = await recordOnAll(ledger, poll, ({ counted, notTaken }) => {
    const open = (standing: Poll, now: number): Step => ({ schedule: { ...standing, opensAt: now + soonMs } });
    if (notTaken >= 100 && openings.length === 0) openings.push(change(ledger, poll, open));
    return counted >= 500;
  });
  await Promise.all(openings);
  expect(await readRows(ledger, poll)).toMatchObject({ counted: attempts.counted, outside: 0 });
});

/** Both times are cut to the millisecond, and a batch that does not wait for the disk is quick enough to share that of a close. */
test('a close does not take effect in a millisecond in which a ballot was counted', async () => {
  const ledger = await openTestLedger();
  const url = new URL(ledger.url);
  url.searchParams.set('options', '-c synchronous_commit=off');
  const lane = ledger.createLane({ connectionString: url.href });
  for (let round = 0; round < 300; round += 1) {
    const poll = await ledger.createPoll();
    await Promise.all([lane.record('refuse', [toBallot(poll)]), change(ledger, poll, closePoll)]);
    expect(await readRows(ledger, poll)).toMatchObject({ outside: 0 });
  }
});

/** The ballot has option numbers, and the poll other options by the time when it is recorded. */
test('a ballot on its way does not count for options that took the place of those it was cast for', async () => {
  const ledger = await openTestLedger();
  const poll = await ledger.createPoll();
  const onItsWay = toBallot(poll, { selections: [1] });
  const managePoll = createManagePoll({
    store: ledger.store,
    directory: createPollDirectory(ledger.store, Date.now),
    makePollId: () => Buffer.alloc(16),
    now: Date.now,
    takesTokens: false,
    ballotsTravel: false,
    removePoll: () => Promise.resolve(),
  });
  const texts = ['Other 1', 'Other 2', 'Other 3'];
  await managePoll.edit(poll, { options: texts.map((text) => ({ id: text, text, description: null })) });
  const { verdicts } = await ledger.createLane().record('refuse', [onItsWay]);
  expect(verdicts.get(0)).toEqual({ kind: 'not_taken' });
});

/** The first attempt is still under way in the database when the second one is told that the poll has closed. */
test('a ballot whose connection broke is not called late while the first attempt may still count it', async () => {
  const ledger = await openTestLedger();
  const proxy = await startPostgresProxy(ledger.url);
  const lane = ledger.createLane({ connectionString: proxy.url });
  const poll = await ledger.createPoll({ closesAt: Date.now() + 1_000 });
  await lane.record('refuse', []);
  const blocker = await ledger.pool.connect();
  await blocker.query('begin');
  await blocker.query('select 1 from slots for update');
  const ballot = toBallot(poll);
  const first = lane.record('refuse', [ballot]).catch((error: unknown) => error);
  const firstPid = await untilWaiting(ledger, 0);
  proxy.cut();
  expect(await first).toMatchObject({ recorded: 'unknown' });
  await expect
    .poll(() => ledger.rows('select 1 from polls where closes_at <= clock_timestamp()'), { timeout: 10_000 })
    .toHaveLength(1);
  const second = lane.record('refuse', [ballot]);
  await Promise.race([second, untilWaiting(ledger, firstPid)]);
  await blocker.query('rollback');
  blocker.release();
  const kind = (await second).verdicts.get(0)?.kind;
  await untilIdle(ledger);
  expect(await ledger.rows('select 1 from ballots')).toHaveLength(kind === 'not_taken' ? 0 : 1);
});

/** The process of a session, other than this one, that waits for a lock. */
async function untilWaiting({ rows }: TestLedger, otherThan: number): Promise<number> {
  const waiting = `select pid from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and pid <> $1`;
  const read = async (): Promise<number> => (await rows<{ pid: number }>(waiting, [otherThan]))[0]?.pid ?? 0;
  let pid = 0;
  await expect.poll(async () => (pid = await read()), { interval: 5 }).toBeGreaterThan(0);
  return pid;
}

/** Nobody but the one who asks is at work in the database. */
async function untilIdle({ rows }: TestLedger): Promise<void> {
  const others = `select 1 from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'`;
  await expect.poll(() => rows(others), { interval: 5 }).toEqual([]);
}
