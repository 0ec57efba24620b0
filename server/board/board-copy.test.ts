import { expect, test } from 'vitest';
import { createBoardHouse } from '../../test/support/board-house.ts';
import { copyBoard } from './board-copy.ts';

test('a copy holds the votes of every poll by its names, and names the batches that they are of', async () => {
  const house = createBoardHouse();
  const process = await house.startProcess();
  const [first, second, third] = ['a', 'b', 'c'].map((name) => house.addPoll({ name }));
  if (first === undefined || second === undefined || third === undefined) throw new Error('There are three.');
  house.count([process], [[first, 1, 2], [first, 3, 1]]); // prettier-ignore
  house.count([process], [[second, 2, 5], [third, 1, 1]], 2); // prettier-ignore
  house.count([process], [[third, 1, -1]]);
  const copy = await copyBoard({ ...house, board: process.board, now: Date.now, peekPoll: house.findPoll });
  expect(copy?.batchNoBySlot).toEqual(new Map([[1, 2], [2, 1]])); // prettier-ignore
  expect(copy?.polls).toEqual(
    new Map([
      ['a', { pollNo: 1, sums: [['A', 2], ['C', 1]] }],
      ['b', { pollNo: 2, sums: [['B', 5]] }],
    ]), // prettier-ignore
  );
});

test('polls that are not at hand, or not as new as their votes, are named by the ledger; deleted ones are left out', async () => {
  const house = createBoardHouse();
  const process = await house.startProcess();
  const polls = ['known', 'old', 'far', 'gone'].map((name) => house.addPoll({ name }));
  house.count(
    [process],
    polls.map((poll) => [poll, 3, 1] as const),
  );
  const [, old, , gone] = polls;
  if (old === undefined || gone === undefined) throw new Error('There are four.');
  house.removePoll(gone);
  const asked: number[] = [];
  const copy = await copyBoard({
    board: process.board,
    now: Date.now,
    peekPoll(pollNo) {
      const poll = house.findPoll(pollNo);
      if (poll?.madeAs === 'far') return undefined;
      return poll?.madeAs === 'old' ? { ...poll, options: poll.options.slice(0, 2) } : poll;
    },
    readNames(pollNos) {
      asked.push(...pollNos);
      return house.readNames(pollNos);
    },
  });
  expect([...(copy?.polls.keys() ?? [])].toSorted()).toEqual(['far', 'known', 'old']);
  expect(asked).toEqual([2, 3, 4]);
});

test('there is no copy of a board that misses something', async () => {
  const house = createBoardHouse();
  const process = await house.startProcess();
  const poll = house.addPoll();
  house.record([[poll, 1, 1]]);
  house.count([process], [[poll, 1, 1]]);
  const parts = { ...house, board: process.board, now: Date.now, peekPoll: house.findPoll };
  expect(await copyBoard(parts)).toBeNull();
  await process.board.load();
  expect((await copyBoard(parts))?.polls.get('poll 1')?.sums).toEqual([['A', 2]]);
});
