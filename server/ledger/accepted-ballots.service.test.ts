/** Ballots that were accepted at one moment and are recorded at another: out of a log, perhaps twice, in any order. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeTestId, openTestLedger, toBallot, toBatch, type TestLedger } from '../../test/support/ledger.ts';
import { createTickSource, toUuidText } from '../lib/uuid-v7.ts';
import type { Ballot } from '../poll/ballot.ts';
import { toKey } from '../poll/test-support.ts';
import type { BallotToRecord } from './ballot-lane.ts';
import { findTallyMismatches } from './tallies.ts';

const nextTick = createTickSource(Date.now);

function accepted(poll: Ballot['poll'], acceptedAt: number, change: Partial<Ballot> = {}): BallotToRecord {
  return toBallot(poll, { acceptedUs: acceptedAt * 1_000 + (nextTick() % 1_000), ...change });
}

async function countedOf({ rows }: TestLedger, pollNo: number): Promise<string[]> {
  const found = await rows<{ voter: string; selections: string }>(
    'select voter_key::text as voter, selections from ballots where poll_no = $1 order by 1',
    [pollNo],
  );
  return found.map(({ voter, selections }) => `${voter} ${selections}`);
}

test('a ballot that was in time counts when the poll is closed long since, at the second of its acceptance', async () => {
  const ledger = await openTestLedger();
  const closesAt = Date.now() - 60_000;
  for (const revote of ['refuse', 'replace'] as const) {
    const poll = await ledger.createPoll({ revote, opensAt: closesAt - 60_000, closesAt });
    const batch = toBatch([
      accepted(poll, closesAt - 1, { voterKey: toKey(1) }),
      accepted(poll, closesAt, { voterKey: toKey(2) }),
      accepted(poll, closesAt - 60_000, { voterKey: toKey(3) }),
      accepted(poll, closesAt - 60_001, { voterKey: toKey(4) }),
      toBallot(poll, { voterKey: toKey(5) }),
    ]);
    const { verdicts } = await ledger.createLane().record(revote, batch);
    expect([...verdicts].map(([index, { kind }]) => [index, kind])).toEqual([
      [1, 'not_taken'],
      [3, 'not_taken'],
      [4, 'not_taken'],
    ]);
    const times = await ledger.rows<{ castAt: number }>(
      'select cast_at as "castAt" from ballots where poll_no = $1 order by 1',
      [poll.pollNo],
    );
    expect(times.map(({ castAt }) => castAt)).toEqual([closesAt - 60_000, closesAt - 1]);
    const seconds = await ledger.rows<{ second: number }>(
      'select distinct second from tally_seconds where poll_no = $1 order by 1',
      [poll.pollNo],
    );
    expect(seconds.map(({ second }) => second)).toEqual(
      [closesAt - 60_000, closesAt - 1].map((at) => Math.floor(at / 1_000) * 1_000),
    );
  }
  expect(await findTallyMismatches(ledger.pool)).toEqual([]);
});

test('a ballot that was accepted before a pause counts while the poll is paused', async () => {
  const ledger = await openTestLedger();
  const poll = await ledger.createPoll();
  const pausedAt = Date.now();
  await ledger.rows('update polls set paused_at = $1 where poll_no = $2', [new Date(pausedAt), poll.pollNo]);
  const batch = toBatch([
    accepted(poll, pausedAt - 1, { voterKey: toKey(1) }),
    accepted(poll, pausedAt, { voterKey: toKey(2) }),
    toBallot(poll, { voterKey: toKey(3) }),
  ]);
  const { verdicts } = await ledger.createLane().record('refuse', batch);
  expect([...verdicts.keys()]).toEqual([1, 2]);
});

test('a ballot that comes again stands by its own id, in the same transaction or a later one', async () => {
  const ledger = await openTestLedger();
  for (const revote of ['refuse', 'replace'] as const) {
    const poll = await ledger.createPoll({ revote });
    const lane = ledger.createLane();
    const ballot = accepted(poll, Date.now() - 5_000);
    expect((await lane.record(revote, [ballot])).verdicts.size).toBe(0);
    const { verdicts } = await lane.record(revote, toBatch([ballot, accepted(poll, Date.now() - 5_000)]));
    const kinds = [...verdicts.values()].map(({ kind }) => kind);
    expect(kinds).toEqual(['stands']);
  }
  expect(await findTallyMismatches(ledger.pool)).toEqual([]);
});

test('of ballots that replace each other the last accepted counts, however ids compare and whichever is recorded last', async () => {
  const ledger = await openTestLedger();
  const poll = await ledger.createPoll({ revote: 'replace' });
  const lane = ledger.createLane();
  const voterKey = toKey(1);
  const now = Date.now();
  const highId = Buffer.alloc(16, 0xff);
  const lowId = Buffer.alloc(16, 0x01);
  const later = toBallot(poll, { id: lowId, voterKey, acceptedUs: now * 1_000 + 1, selections: [1] });
  const earlier = toBallot(poll, { id: highId, voterKey, acceptedUs: now * 1_000, selections: [2] });
  await lane.record('replace', [later]);
  const { verdicts } = await lane.record('replace', [earlier]);
  expect([...verdicts.values()]).toEqual([{ kind: 'overtaken' }]);
  expect(await countedOf(ledger, poll.pollNo)).toEqual([expect.stringMatching(/ 1$/u)]);
});

test('a ballot whose id tells its moment compares with one that carries it', async () => {
  const ledger = await openTestLedger();
  const poll = await ledger.createPoll({ revote: 'replace' });
  const lane = ledger.createLane();
  for (const [offset, counts] of [
    [-1, '1'],
    [1, '2'],
  ] as const) {
    const voterKey = toKey(10 + offset);
    const id = makeTestId();
    const [{ us } = { us: 0 }] = await ledger.rows<{ us: number }>('select acceptance_of($1::uuid, null) as us', [
      id.toString('hex'),
    ]);
    const told = toBallot(poll, { id, voterKey, selections: [1] });
    const carried = toBallot(poll, { voterKey, acceptedUs: us + offset, selections: [2] });
    await lane.record('replace', [told]);
    await lane.record('replace', [carried]);
    const [row] = await ledger.rows<{ selections: string }>('select selections from ballots where voter_key = $1', [
      voterKey.toString('hex'),
    ]);
    expect(row?.selections).toBe(counts);
    await ledger.rows('delete from ballots where voter_key = $1', [voterKey.toString('hex')]);
  }
});

test('a retry that is recorded before the ballot that it repeats gives that ballot its place back', async () => {
  const ledger = await openTestLedger();
  const poll = await ledger.createPoll({ revote: 'replace' });
  const lane = ledger.createLane();
  const start = Date.now() - 10_000;
  const cast = (key: number, second: number, option: number): BallotToRecord =>
    toBallot(poll, {
      id: toKey(key),
      voterKey: toKey(1),
      retryKey: toKey(100 + key),
      acceptedUs: (start + second * 1_000) * 1_000,
      selections: [option],
    });
  const counted = async () => (await countedOf(ledger, poll.pollNo)).map((text) => text.split(' ')[1]);
  // The first ballot, sent again after the second one was accepted.
  const { batchNo } = await lane.record('replace', [cast(1, 3, 1)]);
  expect((await lane.record('replace', [cast(2, 2, 2)])).verdicts.get(0)).toMatchObject({ kind: 'overtaken' });
  expect(await counted()).toEqual(['1']);
  const moving = await lane.record('replace', [cast(1, 1, 1)]);
  expect(moving.verdicts.get(0)).toMatchObject({ kind: 'stands', ballotId: toUuidText(toKey(1)) });
  expect(await counted()).toEqual(['2']);
  // Boards that were told of every batch miss one, and read the sums.
  expect(moving.batchNo).toBe(batchNo + 3);
  expect((await lane.record('replace', [cast(1, 1, 1)])).verdicts.get(0)).toMatchObject({ kind: 'stands' });
  expect(await counted()).toEqual(['2']);
  expect(await findTallyMismatches(ledger.pool)).toEqual([]);
  // Without another ballot after it, the ballot only moves to its second.
  const alone = (second: number): BallotToRecord => {
    const { ballot, version } = cast(3, second, 3);
    return { ballot: { ...ballot, voterKey: toKey(2) }, version };
  };
  for (const second of [5, 4]) await lane.record('replace', [alone(second)]);
  const seconds = await ledger.rows<{ second: Date }>(
    'select second from tally_seconds where option_no = 3 group by second having sum(votes) > 0',
  );
  expect(seconds.map(({ second }) => Number(second))).toEqual([Math.floor((start + 4_000) / 1_000) * 1_000]);
  expect(await findTallyMismatches(ledger.pool)).toEqual([]);
});

test('whatever the order and however often each comes, the same ballots count', async () => {
  const ledger = await openTestLedger();
  const lane = ledger.createLane();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ voter: fc.integer({ min: 1, max: 5 }), option: fc.integer({ min: 1, max: 3 }) }), {
        minLength: 1,
        maxLength: 12,
      }),
      fc.array(fc.nat(), { maxLength: 30 }),
      fc.constantFrom('refuse' as const, 'replace' as const),
      async (casts, picks, revote) => {
        const poll = await ledger.createPoll({ revote });
        const again = await ledger.createPoll({ revote });
        const start = Date.now() - 10_000;
        const toAll = (target: Ballot['poll']): BallotToRecord[] =>
          casts.map(({ voter, option }, index) =>
            toBallot(target, {
              acceptedUs: (start + index) * 1_000,
              voterKey: toKey(voter),
              retryKey: toKey(1_000 + index),
              selections: [option],
            }),
          );
        for (const ballot of toAll(poll)) await lane.record(revote, [ballot]);
        const others = toAll(again);
        // Where the first counts, the order decides which that is: the first of each voter comes first there.
        if (revote === 'refuse') for (const ballot of others) await lane.record(revote, [ballot]);
        for (const pick of picks) await lane.record(revote, [others[pick % others.length] ?? toBallot(again)]);
        for (const ballot of others.toReversed()) await lane.record(revote, [ballot]);
        expect(await countedOf(ledger, again.pollNo)).toEqual(await countedOf(ledger, poll.pollNo));
      },
    ),
    { numRuns: 30 },
  );
  expect(await findTallyMismatches(ledger.pool)).toEqual([]);
});
