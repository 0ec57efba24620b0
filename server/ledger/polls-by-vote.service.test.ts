import { randomInt, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { openTestLedger, toBallot, toBatch, type TestLedger } from '../../test/support/ledger.ts';
import { drawJoinCode } from '../poll/names.ts';
import { createDeletion } from './deletion.ts';
import { createPollsByVoteStore, type DrawnNames, type PollsByVoteStore } from './polls-by-vote.ts';

const limits = { pollsMax: 10, optionsMax: 5 };
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function drawNames(): DrawnNames {
  return {
    id: randomUUID(),
    slug: `drawn-${randomUUID().slice(0, 8)}`,
    joinCode: drawJoinCode(randomInt),
    manageKeyHash: Buffer.alloc(32),
  };
}

function createStore({ pool }: TestLedger, draw: (name: string) => DrawnNames = drawNames): PollsByVoteStore {
  return createPollsByVoteStore(pool, draw);
}

const optionsOf = (made: Awaited<ReturnType<PollsByVoteStore['make']>>, name: string): [number, string][] | undefined =>
  made.get(name)?.options.map(({ optionNo, id }) => [optionNo, id]);

async function countOf({ rows }: TestLedger): Promise<{ told: number; there: number }[]> {
  return rows(`select
    (select count from polls_by_vote) as told,
    (select count(*)::integer from polls where made_as is not null) as there`);
}

test('what is missing is made in the order in which it is wanted, and what is there stays as it is', async () => {
  const ledger = await openTestLedger();
  const store = createStore(ledger);
  const first = await store.make([{ name: 'a', optionIds: ['y', 'x'] }], limits);
  expect(optionsOf(first, 'a')).toEqual([
    [1, 'y'],
    [2, 'x'],
  ]);
  const wanted = [
    { name: 'a', optionIds: ['z', 'x', 'w'] },
    { name: 'b', optionIds: ['x'] },
  ];
  const second = await store.make(wanted, limits);
  expect(optionsOf(second, 'a')).toEqual([
    [1, 'y'],
    [2, 'x'],
    [3, 'z'],
    [4, 'w'],
  ]);
  expect(optionsOf(second, 'b')).toEqual([[1, 'x']]);
  const third = await store.make(wanted, limits);
  expect([first, second, third].map((made) => made.get('a')?.revision)).toEqual([1, 2, 2]);
  expect([...third.values()].map(({ ballotForm }) => ballotForm)).toEqual([1, 1]);
});

test('a ballot that was checked before an option was added is counted', async () => {
  const ledger = await openTestLedger();
  const store = createStore(ledger);
  const poll = (await store.make([{ name: 'a', optionIds: ['x'] }], limits)).get('a');
  if (poll === undefined) throw new Error('The poll was not made.');
  const ballot = toBallot(poll, { selections: [1] });
  await store.make([{ name: 'a', optionIds: ['y'] }], limits);
  const { verdicts } = await ledger.createLane().record('refuse', toBatch([ballot]));
  expect([...verdicts]).toEqual([]);
  expect(await ledger.rows('select selections from ballots')).toEqual([{ selections: '1' }]);
});

test('the count of such polls is true after making, after a refused name and after deletions', async () => {
  const ledger = await openTestLedger();
  const store = createStore(ledger);
  const wanted = Array.from({ length: 14 }, (_, index) => ({ name: `poll ${index}`, optionIds: ['x'] }));
  const made = await store.make(wanted, limits);
  expect(made.size).toBe(10);
  expect(await countOf(ledger)).toEqual([{ told: 10, there: 10 }]);
  const deletion = createDeletion(ledger.pool, log);
  for (const name of ['poll 1', 'poll 2']) await deletion.remove(made.get(name)?.pollNo ?? 0);
  await deletion.stop();
  expect(await countOf(ledger)).toEqual([{ told: 8, there: 8 }]);
  const again = await store.make([...wanted].reverse(), limits);
  expect(again.size).toBe(10);
  expect(await countOf(ledger)).toEqual([{ told: 10, there: 10 }]);
});

test('a name that another poll has as its id or slug makes none', async () => {
  const ledger = await openTestLedger();
  const poll = await ledger.createPoll();
  const wanted = [poll.id, poll.id.toUpperCase(), poll.slug, 'free'].map((name) => ({ name, optionIds: ['x'] }));
  const made = await createStore(ledger).make(wanted, limits);
  expect([...made.keys()]).toEqual(['free']);
  expect(made.get('free')?.slug).toBe('free');
});

test('names that are drawn twice are drawn again', async () => {
  const ledger = await openTestLedger();
  const drawn = [drawNames(), drawNames(), drawNames()];
  const draws = [drawn[0], drawn[0], drawn[1], drawn[2]].values();
  const store = createStore(ledger, () => draws.next().value ?? drawNames());
  await store.make([{ name: 'No slug', optionIds: ['x'] }], limits);
  const made = await store.make([{ name: 'None either', optionIds: ['x'] }], limits);
  expect(made.get('None either')?.slug).toBe(drawn[1]?.slug);
  expect(await countOf(ledger)).toEqual([{ told: 2, there: 2 }]);
});

test('of the same polls and options wanted thirty times at once each is made once', async () => {
  const ledger = await openTestLedger();
  const wanted = ['a', 'b'].map((name) => ({ name, optionIds: ['x', 'y'] }));
  const stores = Array.from({ length: 30 }, () => createStore(ledger));
  const all = await Promise.all(stores.map((store) => store.make(wanted, limits)));
  expect(new Set(all.map((made) => made.get('a')?.pollNo)).size).toBe(1);
  expect(await countOf(ledger)).toEqual([{ told: 2, there: 2 }]);
  expect(await ledger.rows('select from options')).toHaveLength(4);
});
