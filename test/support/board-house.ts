/** A ledger and processes on it, all in memory: what stands behind a shared board. */
import { randomBytes } from 'node:crypto';
import type { BoardNames } from '../../server/board/board-copy.ts';
import { createDeltaTail, withTail, type TailedBoard } from '../../server/board/delta-tail.ts';
import { createMemoryBoard } from '../../server/board/memory.ts';
import { boardKeyOf } from '../../server/board/shared-board.ts';
import type { OptionId, Poll } from '../../server/poll/poll.ts';
import { makePoll } from '../../server/poll/test-support.ts';
import type { TallyDelta } from '../../server/tally/tally-change.ts';
import type { LedgerState } from '../../server/tally/ledger-state.ts';

/** Votes for an option of a poll; negative: taken back. */
export type Vote = readonly [poll: Poll, optionNo: number, votes: number];

export type BoardProcess = {
  readonly board: TailedBoard;
  /** Takes in a batch, as its own or as another's that the bus has brought. */
  hear(delta: TallyDelta): void;
};

export type BoardHouse = {
  /** Its own, as every ledger has it: what the test before has left on a node means nothing to it. */
  readonly epoch: string;
  addPoll(change?: { readonly name?: string; readonly optionIds?: readonly string[] }): Poll;
  polls(): readonly Poll[];
  /** Deletes the poll with its tallies. */
  removePoll(poll: Poll): void;
  findPoll(pollNo: number): Poll | undefined;
  /** Commits a batch of a slot, and tells nobody. */
  record(votes: readonly Vote[], slot?: number): TallyDelta;
  votesOf(poll: Poll, optionNo: number): number;
  readNames(pollNos: readonly number[]): Promise<BoardNames[]>;
  /** A process that begins now. */
  startProcess(): Promise<BoardProcess>;
  /** Commits a batch and has these processes hear of it. */
  count(processes: readonly BoardProcess[], votes: readonly Vote[], slot?: number): void;
};

const optionIdsDefault = ['A', 'B', 'C'];

export function createBoardHouse(): BoardHouse {
  const polls = new Map<number, Poll>();
  const sums = new Map<string, number>();
  const batchNoBySlot = new Map<number, number>();
  let lastPollNo = 0;
  const toKey = (pollNo: number, optionNo: number): string => `${pollNo} ${optionNo}`;

  function record(votes: readonly Vote[], slot = 1): TallyDelta {
    const batchNo = (batchNoBySlot.get(slot) ?? 0) + 1;
    batchNoBySlot.set(slot, batchNo);
    for (const [{ pollNo }, optionNo, count] of votes) {
      const key = toKey(pollNo, optionNo);
      sums.set(key, (sums.get(key) ?? 0) + count);
    }
    const toChange = ([{ pollNo }, optionNo, count]: Vote) => {
      return { pollNo, optionNo, second: 1_000_000, votes: count, ballots: count, changes: Math.abs(count) };
    };
    return { slot, batchNo, changes: votes.map(toChange) };
  }

  function readState(): LedgerState {
    const tallies = [...sums].map(([key, votes]) => {
      const [pollNo = 0, optionNo = 0] = key.split(' ').map(Number);
      return { pollNo, optionNo, votes, ballots: votes, changes: votes };
    });
    return { batchNoBySlot: new Map(batchNoBySlot), tallies, seconds: [] };
  }

  const house: BoardHouse = {
    epoch: randomBytes(8).toString('hex'),
    addPoll({ name, optionIds = optionIdsDefault } = {}) {
      lastPollNo += 1;
      const pollNo = lastPollNo;
      const options = optionIds.map((id, index) => ({
        optionNo: index + 1,
        id: id as OptionId, // As the ledger has it.
        text: id,
        description: null,
      }));
      const poll = makePoll({ pollNo, madeAs: name ?? `poll ${pollNo}`, options });
      polls.set(pollNo, poll);
      return poll;
    },
    polls: () => [...polls.values()],
    removePoll({ pollNo }) {
      polls.delete(pollNo);
      for (const key of sums.keys()) if (key.startsWith(`${pollNo} `)) sums.delete(key);
    },
    findPoll: (pollNo) => polls.get(pollNo),
    record,
    votesOf: ({ pollNo }, optionNo) => sums.get(toKey(pollNo, optionNo)) ?? 0,
    readNames: (pollNos) =>
      Promise.resolve(
        pollNos.flatMap((pollNo) => {
          const poll = polls.get(pollNo);
          if (poll === undefined) return [];
          return [{ pollNo, key: boardKeyOf(poll), optionIds: poll.options.map(({ id }) => id) }];
        }),
      ),
    async startProcess() {
      const tail = createDeltaTail();
      const board = withTail(
        createMemoryBoard(() => Promise.resolve(readState())),
        tail,
      );
      await board.load();
      return {
        board,
        hear(delta) {
          board.fold(delta);
          tail.seal(delta.slot, delta.batchNo);
        },
      };
    },
    count(processes, votes, slot) {
      const delta = record(votes, slot);
      for (const { hear } of processes) hear(delta);
    },
  };
  return house;
}
