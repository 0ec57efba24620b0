import { expect, test } from 'vitest';
import { AppError } from '../errors.ts';
import { createPollDirectory } from '../ledger/poll-directory.ts';
import type { VotedLimits, WantedPoll } from '../ledger/polls-by-vote.ts';
import type { OptionId, Poll, PollId } from '../poll/poll.ts';
import { makePoll } from '../poll/test-support.ts';
import { createPollsByVote } from './polls-by-vote.ts';

/** A ledger that makes everything within the limits, one call after the other, and what it was asked for. */
function createSample(limits: VotedLimits = { pollsMax: 3, optionsMax: 2 }) {
  const calls: (readonly WantedPoll[])[] = [];
  const made = new Map<string, Poll>();
  const state: { failure: Error | null } = { failure: null };
  const directory = createPollDirectory(
    { find: () => Promise.resolve(null), listUnclosed: () => Promise.resolve([]) },
    () => 0,
  );

  function add({ name, optionIds }: WantedPoll): void {
    const standing = made.get(name);
    if (standing === undefined && made.size >= limits.pollsMax) return;
    const ids = [...new Set([...(standing?.optionNoById.keys() ?? []), ...optionIds])].slice(0, limits.optionsMax);
    const pollNo = standing?.pollNo ?? made.size + 1;
    made.set(
      name,
      makePoll({
        pollNo,
        id: `id-${pollNo}` as PollId, // Any text will do here.
        slug: `slug-${pollNo}`,
        madeAs: name,
        revision: (standing?.revision ?? 0) + 1,
        options: ids.map((id, index) => ({ optionNo: index + 1, id: id as OptionId, text: id, description: null })), // As above.
        optionNoById: new Map(ids.map((id, index) => [id, index + 1])),
      }),
    );
  }

  const store = {
    async make(wanted: readonly WantedPoll[]) {
      calls.push(wanted);
      await new Promise(setImmediate);
      if (state.failure !== null) throw state.failure;
      wanted.forEach(add);
      const names = new Set(wanted.map(({ name }) => name));
      return new Map([...made].filter(([name]) => names.has(name)));
    },
  };
  return { calls, state, directory, pollsByVote: createPollsByVote({ store, directory, limits }) };
}

test('votes of one moment are made for together, each poll and option once', async () => {
  const { calls, directory, pollsByVote } = createSample();
  const wants = [
    ['a', 'x'],
    ['b', 'x'],
    ['a', 'y'],
    ['a', 'x'],
  ] as const;
  const polls = await Promise.all(wants.map(([name, optionId]) => pollsByVote.want(name, optionId)));
  expect(calls).toEqual([
    [
      { name: 'a', optionIds: ['x', 'y'] },
      { name: 'b', optionIds: ['x'] },
    ],
  ]);
  expect(polls).toEqual(wants.map(([name]) => directory.peekMade(name)));
  expect(directory.madeCount()).toBe(2);
});

test('what comes while the ledger is busy waits for the next transaction', async () => {
  const { calls, pollsByVote } = createSample();
  const first = pollsByVote.want('a', 'x');
  await expect.poll(() => calls).toHaveLength(1);
  const others = ['b', 'c'].map((name) => pollsByVote.want(name, 'x'));
  await Promise.all([first, ...others]);
  expect(calls.map((wanted) => wanted.map(({ name }) => name))).toEqual([['a'], ['b', 'c']]);
});

test('beyond the limits the answer says of what, and comes without the ledger once they are known to be reached', async () => {
  const { calls, pollsByVote } = createSample();
  const answers = await Promise.all(['a', 'b', 'c', 'd'].map((name) => pollsByVote.want(name, 'x')));
  expect(answers.map((answer) => (typeof answer === 'string' ? answer : answer.madeAs))).toEqual([
    'a',
    'b',
    'c',
    'not_made',
  ]);
  expect(await Promise.all([pollsByVote.want('a', 'y'), pollsByVote.want('a', 'z')])).toEqual([
    expect.objectContaining({ madeAs: 'a' }),
    'options_full',
  ]);
  expect(calls).toHaveLength(2);
  expect(await Promise.all([pollsByVote.want('e', 'x'), pollsByVote.want('a', 'z')])).toEqual([
    'not_made',
    'options_full',
  ]);
  expect(calls).toHaveLength(2);
});

test('votes that a transaction failed for hear so, and later ones are not held up', async () => {
  const { state, pollsByVote } = createSample();
  state.failure = new Error('The ledger is away.');
  const answers = await Promise.allSettled([pollsByVote.want('a', 'x'), pollsByVote.want('b', 'x')]);
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  state.failure = null;
  expect(await pollsByVote.want('a', 'x')).toMatchObject({ madeAs: 'a' });
});

test('no more votes wait than there is room for', async () => {
  const { pollsByVote } = createSample({ pollsMax: 100_000, optionsMax: 2 });
  const waiting = Array.from({ length: 20_000 }, (_, index) => pollsByVote.want(`poll ${index}`, 'x'));
  expect(() => pollsByVote.want('one more', 'x')).toThrow(AppError);
  await Promise.all(waiting);
  expect(await pollsByVote.want('one more', 'x')).toMatchObject({ madeAs: 'one more' });
});
