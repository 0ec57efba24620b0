import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeTestId, openTestLedger, toBallot, toBatch, type TestLedger } from '../../test/support/ledger.ts';
import { toUuidText } from '../lib/uuid-v7.ts';
import { toSelectionsText } from '../poll/ballot.ts';
import type { Poll, Revote } from '../poll/poll.ts';
import { closePoll, openPoll, pausePoll, reopenPoll, type Step } from '../poll/schedule.ts';
import { toKey } from '../poll/test-support.ts';
import type { BallotLane, BallotToRecord, BatchRecorded, Verdict } from './ballot-lane.ts';
import { findTallyMismatches, readLedgerState } from './tallies.ts';

const kindsOf = ({ verdicts }: BatchRecorded): [index: number, kind: Verdict['kind']][] =>
  [...verdicts].map(([index, { kind }]): [number, Verdict['kind']] => [index, kind]).sort(([a], [b]) => a - b);

/** What every moment at rest must show: tallies and seconds equal the count over the ballots, by option and by second. */
async function expectTallied({ rows, pool }: TestLedger): Promise<void> {
  const counted = `
    select poll_no, coalesce(selected::smallint, 0) as option_no, date_trunc('second', cast_at) as second
    from ballots left join lateral unnest(string_to_array(selections, ',')) as selected on true`;
  const votes = await rows(`
    select poll_no, option_no, count(*) as votes from (${counted}) where option_no > 0 group by 1, 2 order by 1, 2`);
  const bySecond = await rows(`
    select poll_no, option_no, second, count(*) as votes from (${counted}) where option_no > 0 group by 1, 2, 3 order by 1, 2, 3`);
  const ballots = await rows('select poll_no, count(*) as ballots from ballots group by 1 order by 1');
  expect(
    await rows(`select poll_no, option_no, sum(votes)::bigint as votes from tallies
      where option_no > 0 group by 1, 2 having sum(votes) <> 0 order by 1, 2`),
  ).toEqual(votes);
  expect(
    await rows(`select poll_no, option_no, second, sum(votes)::bigint as votes from tally_seconds
      group by 1, 2, 3 having sum(votes) <> 0 order by 1, 2, 3`),
  ).toEqual(bySecond);
  expect(
    await rows(`select poll_no, sum(ballots)::bigint as ballots from tallies
      group by 1 having sum(ballots) <> 0 order by 1`),
  ).toEqual(ballots);
  expect(await findTallyMismatches(pool)).toEqual([]);
}

/** Of a poll that lets voters change their minds, the last accepted ballot of each counts, and the history has it. */
async function expectLastAccepted({ rows }: TestLedger): Promise<void> {
  const wrong = await rows(`
    select polls.poll_no
    from (
      select distinct on (poll_no, voter_key) poll_no, voter_key, ballot_id, cast_at, selections, version
      from ballot_history
      order by poll_no, voter_key, ballot_id desc
    ) as last
    full join (select ballots.* from ballots join polls using (poll_no) where revote = 'replace') as counted
      using (poll_no, voter_key, ballot_id, cast_at, selections)
    left join polls using (poll_no)
    where last.version is distinct from counted.version or last.ballot_id is null or counted.ballot_id is null`);
  expect(wrong).toEqual([]);
}

test('of ballots of one voter in one batch the first counts, and the others hear which one stands', async () => {
  const ledger = await openTestLedger();
  const poll = await ledger.createPoll();
  const voterKey = toKey(1);
  const batch = toBatch([1, 2, 3].map((option) => toBallot(poll, { voterKey, selections: [option] })));
  const recorded = await ledger.createLane().record('refuse', batch);
  const [first] = batch;
  const stands = {
    kind: 'stands',
    ballotId: toUuidText(first?.ballot.id ?? Buffer.alloc(16)),
    castAt: recorded.castAt,
    version: 1,
    retryKey: null,
    selections: '1',
  };
  expect([...recorded.verdicts]).toEqual([
    [1, stands],
    [2, stands],
  ]);
  await expectTallied(ledger);
});

test('every kind of selections is counted, and a blank ballot as a ballot without a vote', async () => {
  const ledger = await openTestLedger();
  for (const revote of ['refuse', 'replace'] as const) {
    const poll = await ledger.createPoll({ revote });
    const batch = toBatch([[], [], [1], [3], [1, 2, 3], [2, 3]].map((selections) => toBallot(poll, { selections })));
    expect((await ledger.createLane().record(revote, batch)).verdicts.size).toBe(0);
    const sums = await ledger.rows(
      'select option_no, votes, ballots, changes from tallies where poll_no = $1 order by 1',
      [poll.pollNo],
    );
    expect(sums).toEqual([
      { option_no: 0, votes: 0, ballots: 2, changes: 2 },
      { option_no: 1, votes: 2, ballots: 2, changes: 2 },
      { option_no: 2, votes: 2, ballots: 1, changes: 1 },
      { option_no: 3, votes: 3, ballots: 1, changes: 1 },
    ]);
  }
  await expectTallied(ledger);
});

test('a batch without ballots is recorded, gets a number and changes nothing', async () => {
  const ledger = await openTestLedger();
  const lane = ledger.createLane();
  for (const [index, revote] of (['refuse', 'replace'] as const).entries()) {
    expect(await lane.record(revote, [])).toMatchObject({ slot: 1, batchNo: index + 1, verdicts: new Map() });
  }
  expect(await ledger.rows('select 1 from tallies')).toEqual([]);
});

test('a poll that does not exist, is a draft, is paused or is closed takes nothing, and others in the batch do', async () => {
  const ledger = await openTestLedger();
  for (const revote of ['refuse', 'replace'] as const) {
    const open = await ledger.createPoll({ revote });
    const paused = await ledger.createPoll({ revote });
    await ledger.store.change(paused.pollNo, (poll, now) => ({ schedule: { ...poll, pausedAt: now }, event: 'pause' }));
    const refusing = [
      { ...open, pollNo: 999_999 },
      await ledger.createPoll({ revote, opensAt: null }),
      await ledger.createPoll({ revote, opensAt: Date.now() + 60_000 }),
      paused,
      await ledger.createPoll({ revote, closesAt: Date.now() - 1 }),
    ];
    const batch = toBatch([open, ...refusing].map((poll) => toBallot(poll)));
    const recorded = await ledger.createLane().record(revote, batch);
    const taken = batch.flatMap(({ ballot }, index) => (recorded.verdicts.has(index) ? [] : [ballot.poll.pollNo]));
    expect(taken).toEqual([open.pollNo]);
    expect(new Set(kindsOf(recorded).map(([, kind]) => kind))).toEqual(new Set(['not_taken']));
  }
  await expectTallied(ledger);
});

test('a later ballot supersedes, an earlier one that comes later is overtaken, and both are in the history', async () => {
  const ledger = await openTestLedger();
  const poll = await ledger.createPoll({ revote: 'replace' });
  const lane = ledger.createLane();
  const [early, first, second] = [1, 2, 3].map((option) =>
    toBallot(poll, { voterKey: toKey(1), retryKey: toKey(option), selections: [option] }),
  );
  if (early === undefined || first === undefined || second === undefined) throw new Error('there are three');
  const { castAt } = await lane.record('replace', [first]);
  expect([...(await lane.record('replace', [second])).verdicts]).toEqual([
    [0, { kind: 'supersedes', castAt, selections: '2' }],
  ]);
  expect([...(await lane.record('replace', [early])).verdicts]).toEqual([[0, { kind: 'overtaken' }]]);
  for (const ballot of [early, first, second]) {
    expect(kindsOf(await lane.record('replace', [ballot]))).toEqual([[0, 'stands']]);
  }
  const again = toBallot(poll, { voterKey: toKey(1), retryKey: toKey(2), selections: [3] });
  expect((await lane.record('replace', [again])).verdicts.get(0)).toMatchObject({
    kind: 'stands',
    ballotId: toUuidText(first.ballot.id),
    selections: '2',
  });
  expect(await ledger.rows('select 1 from ballot_history')).toHaveLength(3);
  expect(await ledger.rows('select sum(changes)::bigint as version from tallies')).toEqual([{ version: 2 }]);
  await expectLastAccepted(ledger);
  await expectTallied(ledger);
});

test('a batch that is recorded again changes nothing, also after the poll has closed', async () => {
  const ledger = await openTestLedger();
  const fingerprint = () =>
    ledger.rows(`
      select 'ballots' as what, md5(string_agg(ballots::text, '|' order by ballot_id)) as rows from ballots
      union all select 'history', md5(string_agg(history::text, '|' order by ballot_id)) from ballot_history as history
      union all select 'tallies', md5(string_agg(concat_ws(' ', poll_no, option_no, votes, ballots, changes), '|' order by poll_no, option_no))
        from (select poll_no, option_no, sum(votes) as votes, sum(ballots) as ballots, sum(changes) as changes from tallies group by 1, 2)
      union all select 'seconds', md5(string_agg(concat_ws(' ', second, poll_no, option_no, votes), '|' order by second, poll_no, option_no))
        from (select second, poll_no, option_no, sum(votes) as votes from tally_seconds group by 1, 2, 3)`);
  for (const revote of ['refuse', 'replace'] as const) {
    const poll = await ledger.createPoll({ revote });
    const batch = toBatch(
      Array.from({ length: 50 }, (_, index) =>
        toBallot(poll, {
          voterKey: toKey(index),
          selections: [1 + (index % 3)],
          retryKey: index % 2 ? toKey(9) : null,
        }),
      ),
    );
    const lane = ledger.createLane();
    const { castAt } = await lane.record(revote, batch);
    const before = await fingerprint();
    const other = ledger.createLane();
    for (const step of [null, closePoll] as const) {
      if (step !== null) await take(ledger, poll, step);
      const { verdicts } = await other.record(revote, batch);
      expect([...verdicts].sort(([a], [b]) => a - b)).toEqual(
        batch.map(({ ballot }, index) => [
          index,
          {
            kind: 'stands',
            ballotId: toUuidText(ballot.id),
            retryKey: toRetryText(revote, ballot.retryKey, ballot.id),
            castAt,
            version: 1,
            selections: toSelectionsText(ballot.selections),
          },
        ]),
      );
      expect(await fingerprint()).toEqual(before);
    }
  }
});

/** The history names a ballot without a key by its own id. */
function toRetryText(revote: Revote, retryKey: Buffer | null, id: Buffer): string | null {
  if (retryKey !== null) return toUuidText(retryKey);
  return revote === 'replace' ? toUuidText(id) : null;
}

async function take(
  { store }: TestLedger,
  poll: Poll,
  step: (poll: Poll, now: number) => Step,
): Promise<'taken' | 'refused'> {
  try {
    await store.change(poll.pollNo, (standing, now) => {
      const taken = step(standing, now);
      if ('refused' in taken) throw new RangeError(taken.refused);
      return { schedule: taken.schedule, event: step.name };
    });
    return 'taken';
  } catch (error) {
    if (error instanceof RangeError) return 'refused';
    throw error;
  }
}

test('slots number their batches without a gap, and the sums say which batches they hold', async () => {
  const ledger = await openTestLedger();
  const poll = await ledger.createPoll();
  const lanes = [ledger.createLane(), ledger.createLane(), ledger.createLane()];
  const recorded = await Promise.all(
    lanes.map(async (lane) => {
      const batches: BatchRecorded[] = [];
      for (let count = 0; count < 5; count += 1) batches.push(await lane.record('refuse', [toBallot(poll)]));
      return batches;
    }),
  );
  expect(new Set(recorded.map(([first]) => first?.slot)).size).toBe(3);
  for (const batches of recorded) expect(batches.map(({ batchNo }) => batchNo)).toEqual([1, 2, 3, 4, 5]);
  const state = await readLedgerState(ledger.pool);
  expect([...state.batchNoBySlot.values()]).toEqual([5, 5, 5]);
  expect(state.tallies).toEqual([{ pollNo: poll.pollNo, optionNo: 1, votes: 15, ballots: 15, changes: 15 }]);
  expect(state.seconds.reduce((sum, { votes }) => sum + votes, 0)).toBe(15);
});

type Round = {
  lane: number;
  again: boolean;
  casts: { poll: number; voter: number; retry: number | null; option: number }[];
};
type StepRound = { kind: 'close' | 'reopen' | 'pause' | 'open'; poll: number };

const round: fc.Arbitrary<Round> = fc.record({
  lane: fc.nat({ max: 3 }),
  again: fc.boolean(),
  casts: fc.array(
    fc.record({
      poll: fc.nat({ max: 1 }),
      voter: fc.nat({ max: 7 }),
      retry: fc.option(fc.nat({ max: 4 }), { freq: 3 }),
      option: fc.integer({ min: 0, max: 3 }),
    }),
    { maxLength: 12 },
  ),
});
const stepRound: fc.Arbitrary<StepRound> = fc.record({
  kind: fc.constantFrom('close', 'reopen', 'pause', 'open'),
  poll: fc.nat({ max: 1 }),
});
/** Each list runs by itself, one thing after the other; all lists at the same time. */
const script = fc.record({
  lanes: fc.array(fc.array(round, { maxLength: 6 }), { minLength: 2, maxLength: 4 }),
  steps: fc.array(stepRound, { maxLength: 6 }),
});

const stepOf: Readonly<Record<StepRound['kind'], (poll: Poll, now: number) => Step>> = {
  close: closePoll,
  reopen: (poll, now) => reopenPoll(poll, now, null),
  pause: pausePoll,
  open: openPoll,
};

/** Where ballots replace each other a batch has one of each voter at most. */
function withoutRepeats(revote: Revote, batch: readonly BallotToRecord[]): BallotToRecord[] {
  if (revote === 'refuse') return [...batch];
  return [
    ...new Map(batch.map((each) => [`${each.ballot.poll.pollNo} ${String(each.ballot.voterKey)}`, each])).values(),
  ];
}

test.for(['refuse', 'replace'] as const)(
  'for any interleaving of batches, repeats and steps on several lanes the ledger is whole (%s)',
  async (revote) => {
    const ledger = await openTestLedger();
    const lanes = Array.from({ length: 4 }, () => ledger.createLane());
    await fc.assert(
      fc.asyncProperty(script, async ({ lanes: plans, steps }) => {
        const polls = [await ledger.createPoll({ revote }), await ledger.createPoll({ revote })];
        const answered: Answered[] = [];
        const recordAll = async (lane: BallotLane, plan: readonly Round[]): Promise<void> => {
          for (const { casts, again } of plan) {
            const ballots = casts.flatMap(({ poll, voter, retry, option }) => {
              const chosen = polls[poll];
              if (chosen === undefined) return [];
              const selections = option === 0 ? [] : [option];
              return [
                toBallot(chosen, {
                  voterKey: toKey(voter),
                  retryKey: retry === null ? null : toKey(retry),
                  selections,
                }),
              ];
            });
            const batch = toBatch(withoutRepeats(revote, ballots));
            // As after an answer that was lost: what the second attempt says is what holds.
            if (again) await lane.record(revote, batch);
            const { verdicts } = await lane.record(revote, batch);
            answered.push(...batch.map(({ ballot }, index) => ({ ballot, verdict: verdicts.get(index) })));
          }
        };
        const takeAll = async (): Promise<void> => {
          for (const { kind, poll } of steps) await take(ledger, polls[poll] ?? polls[0] ?? fail(), stepOf[kind]);
        };
        await Promise.all([...plans.map((plan, index) => recordAll(lanes[index] ?? fail(), plan)), takeAll()]);
        await expectTallied(ledger);
        await expectAnswersTrue(ledger, polls, revote, answered);
        if (revote === 'replace') await expectLastAccepted(ledger);
      }),
      { numRuns: 40 },
    );
  },
);

function fail(): never {
  throw new Error('there is one');
}

type Answered = { readonly ballot: BallotToRecord['ballot']; readonly verdict: Verdict | undefined };

function isAccepted({ ballot, verdict }: Answered): boolean {
  if (verdict?.kind === 'stands') return verdict.ballotId === toUuidText(ballot.id);
  return verdict?.kind !== 'not_taken';
}

/** What a lane said of a ballot is what the ledger holds. */
async function expectAnswersTrue(
  { rows }: TestLedger,
  polls: readonly Poll[],
  revote: Revote,
  answered: readonly Answered[],
): Promise<void> {
  const table = revote === 'refuse' ? 'ballots' : 'ballot_history';
  const accepted = await rows<{ ballot_id: string }>(`select ballot_id from ${table} where poll_no = any ($1)`, [
    polls.map(({ pollNo }) => pollNo),
  ]);
  const expected = answered.filter(isAccepted).map(({ ballot }) => toUuidText(ballot.id));
  expect(accepted.map(({ ballot_id: id }) => id).sort()).toEqual(expected.sort());
  const standing = answered.flatMap(({ verdict }) => (verdict?.kind === 'stands' ? [verdict.ballotId] : []));
  expect(standing.filter((id) => !expected.includes(id))).toEqual([]);
}

test('lanes that meet at the same voters in the opposite order do not lock each other out', async () => {
  const ledger = await openTestLedger();
  const poll = await ledger.createPoll({ revote: 'replace' });
  const lanes = Array.from({ length: 4 }, () => ledger.createLane());
  for (let count = 0; count < 10; count += 1) {
    const batches = lanes.map(() =>
      toBatch(Array.from({ length: 200 }, (_, index) => toBallot(poll, { voterKey: toKey(index) }))),
    );
    await Promise.all(lanes.map((lane, index) => lane.record('replace', batches[index] ?? [])));
  }
  expect(await ledger.rows('select count(*) as counted from ballots')).toEqual([{ counted: 200 }]);
  await expectLastAccepted(ledger);
  await expectTallied(ledger);
});

test('ids decide, not arrival, whatever the lanes do', async () => {
  const ledger = await openTestLedger();
  const poll = await ledger.createPoll({ revote: 'replace' });
  const lanes = Array.from({ length: 4 }, () => ledger.createLane());
  const ids = Array.from({ length: 200 }, makeTestId);
  const arriving = ids.toSorted(() => Math.random() - 0.5);
  await Promise.all(
    lanes.map(async (lane, index) => {
      for (let at = index; at < arriving.length; at += lanes.length) {
        await lane.record('replace', [
          toBallot(poll, { voterKey: toKey(1), ...(arriving[at] ? { id: arriving[at] } : {}) }),
        ]);
      }
    }),
  );
  const last = ids.at(-1);
  expect(await ledger.rows('select ballot_id from ballots')).toEqual([{ ballot_id: toUuidText(last ?? toKey(0)) }]);
  await expectTallied(ledger);
});
