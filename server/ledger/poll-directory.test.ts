import { expect, test } from 'vitest';
import { makePoll } from '../poll/test-support.ts';
import type { Poll } from '../poll/poll.ts';
import { createPollDirectory } from './poll-directory.ts';
import type { PollName } from './polls.ts';

const now = 1_000_000;

/** A directory over a store that holds these polls, and what the store was asked for. */
function createSample(stored: readonly Poll[]) {
  const asked: PollName[] = [];
  const clock = { now };
  const directory = createPollDirectory(
    {
      find(asking) {
        const { by, name } = asking;
        asked.push(asking);
        const isMeant = ({ id, slug, madeAs }: Poll) => name === (by === 'id' ? id : by === 'slug' ? slug : madeAs);
        return Promise.resolve(stored.find(isMeant) ?? null);
      },
      listUnclosed: () => Promise.resolve(stored.filter(({ closesAt }) => closesAt === null || closesAt > now)),
    },
    () => clock.now,
  );
  return { directory, asked, clock };
}

test('after a load the polls that are not closed are at hand by id, slug and number', async () => {
  const [open, closed] = [makePoll({ pollNo: 1 }), makePoll({ pollNo: 2, closesAt: now })];
  const { directory, asked } = createSample([open, closed]);
  await directory.load();
  expect([directory.peek(open.id), directory.peek(open.slug), directory.byNo(1)]).toEqual([open, open, open]);
  expect([directory.peek(closed.id), directory.byNo(2)]).toEqual([undefined, undefined]);
  expect([...directory.all()]).toEqual([open]);
  expect(await directory.find(open.slug)).toBe(open);
  expect(asked).toEqual([]);
});

test('a poll that is not at hand is read once, and one that does not exist each time', async () => {
  const poll = makePoll({ closesAt: now });
  const { directory, asked } = createSample([poll]);
  expect(await directory.find(poll.id)).toBe(poll);
  expect(await directory.find(poll.slug)).toBe(poll);
  expect(asked).toEqual([{ by: 'id', name: poll.id }]);
  expect(await directory.find('nowhere')).toBeNull();
  expect(await directory.find('nowhere')).toBeNull();
  expect(asked).toHaveLength(3);
});

test('an older revision changes nothing, a newer one replaces the poll under all its names', () => {
  const { directory } = createSample([]);
  const second = makePoll({ revision: 2, question: 'Second' });
  directory.put(second);
  directory.put(makePoll({ revision: 1, question: 'First' }));
  expect(directory.byNo(1)).toBe(second);
  const third = makePoll({ revision: 3, question: 'Third' });
  directory.put(third);
  expect([directory.byNo(1), directory.peek(third.id), directory.peek(third.slug)]).toEqual([third, third, third]);
  expect([...directory.all()]).toEqual([third]);
});

test('of more than ten thousand closed polls the one that was asked for longest ago goes', async () => {
  const { directory } = createSample([]);
  const polls = Array.from({ length: 10_001 }, (_, index) => makePoll({ pollNo: index + 1, closesAt: now }, 2));
  directory.put(makePoll({ pollNo: 20_000 }));
  for (const poll of polls.slice(0, -1)) directory.put(poll);
  const [first, second] = polls;
  await directory.find(first?.slug ?? '');
  directory.put(polls.at(-1) ?? makePoll());
  expect(directory.byNo(1)).toBe(first);
  expect(directory.byNo(2)).toBeUndefined();
  expect([directory.peek(second?.id ?? ''), directory.peek(second?.slug ?? '')]).toEqual([undefined, undefined]);
  expect(directory.byNo(20_000)).toBeDefined();
});

/** The ledger answers as it was when it was asked, and a deletion may be heard of before the answer. */
test('a poll that was dropped is not brought back by a reading that had begun before', async () => {
  const poll = makePoll();
  const { directory } = createSample([poll]);
  const finding = directory.find(poll.slug);
  const reloading = directory.reload(poll);
  directory.drop(poll.pollNo);
  expect(await finding).toBeNull();
  await expect(reloading).rejects.toMatchObject({ code: 'poll_not_found' });
  directory.put({ ...poll, revision: 9 });
  await directory.load();
  expect([directory.peek(poll.slug), directory.byNo(poll.pollNo), [...directory.all()]]).toEqual([
    undefined,
    undefined,
    [],
  ]);
});

/** Nobody looks a poll up when its time comes, so the limit on closed polls never meets those that close by themselves. */
test('polls that closed by time while they were at hand fall under the limit as well', () => {
  const { directory, clock } = createSample([]);
  for (let pollNo = 1; pollNo <= 10_010; pollNo += 1) directory.put(makePoll({ pollNo, closesAt: now + 1 }, 2));
  clock.now = now + 1;
  directory.put(makePoll({ pollNo: 20_000, closesAt: now + 1 }));
  expect([...directory.all()].length).toBeLessThanOrEqual(10_000);
});

test('a poll that votes made is at hand by their id, is counted, and gives the id back when it is deleted', async () => {
  const stored = makePoll({ pollNo: 3, madeAs: 'stored' });
  const { directory, asked } = createSample([stored]);
  for (let time = 1; time <= 2; time += 1) expect(await directory.findMade('stored')).toBe(stored);
  expect(await directory.findMade('nowhere')).toBeNull();
  expect(asked.map(({ by, name }) => `${by} ${name}`)).toEqual(['made_as stored', 'made_as nowhere']);
  const first = makePoll({ pollNo: 1, madeAs: 'Any text' });
  directory.put(first);
  expect([directory.peekMade('Any text'), directory.peek('Any text'), directory.madeCount()]).toEqual([
    first,
    undefined,
    2,
  ]);
  const next = makePoll({ pollNo: 2, madeAs: 'Any text' });
  directory.put(next);
  directory.drop(first.pollNo);
  expect([await directory.findMade('Any text'), directory.madeCount()]).toEqual([next, 2]);
  directory.drop(next.pollNo);
  expect([directory.peekMade('Any text'), directory.madeCount()]).toEqual([undefined, 1]);
});
