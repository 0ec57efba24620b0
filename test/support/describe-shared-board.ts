/** What every shared board promises to those who read it, wherever its votes stand. */
import { describe, expect, test } from 'vitest';
import type { SharedBoard } from '../../server/board/shared-board.ts';
import type { Poll } from '../../server/poll/poll.ts';
import { createBoardHouse, type BoardHouse, type BoardProcess } from './board-house.ts';

export type OpenBoard = (house: BoardHouse, process: BoardProcess) => Promise<SharedBoard>;

/** A node that is slow for a moment is not asked. */
const patience = { timeout: 20_000, interval: 20 };

/** Names that a careless program takes for something else. */
export const hostileNames = [
  '__proto__',
  'constructor',
  'hustings:board',
  'poll:1',
  '*',
  'a b\n"c"\0',
  '{1}',
  '😀'.repeat(64),
  'é',
];

/** `open` answers a board that is ready; it ends with the test. `servedVia` is what its answers say. */
export function describeSharedBoard(name: string, open: OpenBoard, servedVia: RegExp): void {
  async function start(): Promise<{ house: BoardHouse; process: BoardProcess; board: SharedBoard; poll: Poll }> {
    const house = createBoardHouse();
    const process = await house.startProcess();
    return { house, process, board: await open(house, process), poll: house.addPoll() };
  }

  async function votesIn(board: SharedBoard, poll: Poll): Promise<number[]> {
    const tally = await board.read(poll);
    return poll.options.map(({ id }) => tally.votesOf(id));
  }

  describe(`a shared board ${name}`, () => {
    test('shows a vote as soon as its process has counted it, and the same after a flush and another one', async () => {
      const { house, process, board, poll } = await start();
      expect(await votesIn(board, poll)).toEqual([0, 0, 0]);
      house.count([process], [[poll, 1, 2], [poll, 3, 1]]); // prettier-ignore
      expect(await votesIn(board, poll)).toEqual([2, 0, 1]);
      for (let flush = 0; flush < 3; flush += 1) {
        await board.flushNow();
        expect(await votesIn(board, poll)).toEqual([2, 0, 1]);
      }
      house.count([process], [[poll, 1, 5]]);
      expect(await votesIn(board, poll)).toEqual([7, 0, 1]);
      await expect.poll(async () => (await board.read(poll)).servedVia, patience).toMatch(servedVia);
    });

    test('knows no votes for an option that there is not', async () => {
      const { board, poll } = await start();
      const { votesOf } = await board.read(poll);
      for (const id of ['D', ...hostileNames]) expect(votesOf(id)).toBe(0);
    });

    test('takes back the vote of a voter who has changed it', async () => {
      const { house, process, board, poll } = await start();
      house.count([process], [[poll, 1, 3]]);
      await board.flushNow();
      house.count([process], [[poll, 1, -2], [poll, 2, 2]]); // prettier-ignore
      expect(await votesIn(board, poll)).toEqual([1, 2, 0]);
      await board.flushNow();
      expect(await votesIn(board, poll)).toEqual([1, 2, 0]);
      house.count([process], [[poll, 1, -1], [poll, 3, 1]]); // prettier-ignore
      await board.flushNow();
      expect(await votesIn(board, poll)).toEqual([0, 2, 1]);
    });

    test('an answer stays as it was given', async () => {
      const { house, process, board, poll } = await start();
      house.count([process], [[poll, 1, 1]]);
      const { votesOf } = await board.read(poll);
      house.count([process], [[poll, 1, 1]]);
      await board.flushNow();
      expect(votesOf('A')).toBe(1);
    });

    test('keeps polls and options apart, whatever they are called', async () => {
      const { house, process, board } = await start();
      const polls = hostileNames.map((each) => house.addPoll({ name: each, optionIds: hostileNames }));
      for (const [index, poll] of polls.entries()) {
        house.count(
          [process],
          poll.options.map(({ optionNo }) => [poll, optionNo, index + optionNo] as const),
        );
        if (index === 3) await board.flushNow();
      }
      const expectAll = async (): Promise<void> => {
        for (const [index, poll] of polls.entries()) {
          expect(await votesIn(board, poll)).toEqual(poll.options.map(({ optionNo }) => index + optionNo));
        }
      };
      await expectAll();
      await board.flushNow();
      await expectAll();
      const serving = async (): Promise<string[]> =>
        Promise.all(polls.map(async (poll) => (await board.read(poll)).servedVia));
      await expect.poll(async () => (await serving()).every((each) => servedVia.test(each)), patience).toBe(true);
    });

    test('counts the batches of several slots and processes once each', async () => {
      const { house, process, board, poll } = await start();
      for (let round = 1; round <= 20; round += 1) {
        house.count([process], [[poll, 1, 1]], 1 + (round % 3));
        if (round % 4 === 0) await board.flushNow();
      }
      await board.flushNow();
      expect(await votesIn(board, poll)).toEqual([20, 0, 0]);
    });

    test('reads never go backwards and lie between what was counted before and after them, while votes come and flushes go', async () => {
      const { house, process, board, poll } = await start();
      let done = false;
      let counted = 0;
      const voting = (async () => {
        for (let batch = 0; batch < 300; batch += 1) {
          house.count([process], [[poll, 1, 1]], 1 + (batch % 2));
          counted += 1;
          if (batch % 25 === 0) await board.flushNow();
          else await new Promise(setImmediate);
        }
        done = true;
      })();
      let before = 0;
      while (!done) {
        const least = counted;
        const [votes = 0] = await votesIn(board, poll);
        expect(votes).toBeGreaterThanOrEqual(Math.max(least, before));
        expect(votes).toBeLessThanOrEqual(counted);
        before = votes;
        await new Promise(setImmediate);
      }
      await voting;
      expect(await votesIn(board, poll)).toEqual([300, 0, 0]);
    });

    test('a poll that was deleted is forgotten', async () => {
      const { house, process, board, poll } = await start();
      house.count([process], [[poll, 1, 1]]);
      await board.flushNow();
      house.removePoll(poll);
      process.board.drop(poll.pollNo);
      board.drop(poll);
      const { votesOf } = await board.read(poll);
      expect(votesOf('A')).toBe(0);
    });
  });
}
