import { expect, test } from 'vitest';
import { makePoll } from '../poll/test-support.ts';
import type { Poll } from '../poll/poll.ts';
import { createJoinCodes } from './join-codes.ts';
import { createPollDirectory } from './poll-directory.ts';

/** Join codes over a store that holds these polls, and the codes that it was asked for. */
function createSample(stored: Poll[]) {
  const asked: string[] = [];
  const clock = { now: 0 };
  const store = {
    find: ({ name }: { name: string }) => {
      asked.push(name);
      return Promise.resolve(stored.find(({ joinCode }) => joinCode === name) ?? null);
    },
    listUnclosed: () => Promise.resolve([]),
  };
  const polls = createPollDirectory(store, () => 0);
  return { codes: createJoinCodes({ polls, store, now: () => clock.now }), polls, asked, clock };
}

test('a code is read once, however many ask at once and later, and the poll is as it now stands', async () => {
  const poll = makePoll({ joinCode: 'ABC234' });
  const { codes, polls, asked } = createSample([poll]);
  expect(await Promise.all(['ABC234', 'ABC234', 'ABC234'].map(codes.find))).toEqual([poll, poll, poll]);
  const changed = makePoll({ joinCode: 'ABC234', revision: poll.revision + 1 });
  polls.put(changed);
  expect(await codes.find('ABC234')).toBe(changed);
  expect(asked).toEqual(['ABC234']);
});

test('a code that does not exist is asked for again only after a moment, and then found', async () => {
  const stored: Poll[] = [];
  const { codes, asked, clock } = createSample(stored);
  for (let round = 0; round < 5; round += 1) expect(await codes.find('ABC234')).toBeNull();
  expect(asked).toHaveLength(1);
  stored.push(makePoll({ joinCode: 'ABC234' }));
  clock.now = 5_000;
  expect(await codes.find('ABC234')).toBe(stored[0]);
});

test('the code of a poll that was deleted leads nowhere', async () => {
  const poll = makePoll({ joinCode: 'ABC234' });
  const stored = [poll];
  const { codes, polls } = createSample(stored);
  expect(await codes.find('ABC234')).toBe(poll);
  polls.drop(poll.pollNo);
  // What a reading brings that had begun before is not taken in either.
  expect(await codes.find('ABC234')).toBeNull();
});

test('a text that can be no code is not looked for', async () => {
  const { codes, asked } = createSample([]);
  for (const text of ['', 'x'.repeat(33), 'A\u0000B', '\ud800']) expect(await codes.find(text)).toBeNull();
  expect(asked).toEqual([]);
});
