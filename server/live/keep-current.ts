/**
 * Keeps this process's board and polls as new as those of the process that changed them last: by what the bus tells, and by a look at the
 * ledger's slots each second, because a process can die between its COMMIT and its word to the others.
 */
import type { TallyBoard } from '../board/tally-board.ts';
import type { PollDirectory } from '../ledger/poll-directory.ts';
import type { PollStore } from '../ledger/polls.ts';
import type { Logger } from '../lib/logger.ts';
import type { Poll } from '../poll/poll.ts';
import type { BusListener } from './bus.ts';

export type KeepCurrentParts = {
  readonly board: TallyBoard;
  readonly polls: PollDirectory;
  readonly pollStore: Pick<PollStore, 'find'>;
  /** Hears of a poll that was deleted, before it is forgotten. */
  readonly onDeleted: (poll: Poll) => void;
  /** The number of the last batch of each slot, as the ledger has it. */
  readonly readSlots: () => Promise<ReadonlyMap<number, number>>;
  readonly log: Logger;
};

const lookMs = 1_000;
const reloadMs = 250;
/** Of four such times one is spent reading, at most. */
const readingsApart = 4;

export function createKeepCurrent({ board, polls, pollStore, onDeleted, readSlots, log }: KeepCurrentParts): {
  readonly listener: BusListener;
  /** For how long it is not known that the board has everything that the ledger has. Up to two looks long where all is well. Milliseconds. */
  staleMs(): number;
  /** Begins to look at the slots. Answers how to stop. */
  start(): () => void;
} {
  const freshness = createFreshness(board);
  const boardReading = createBoardReading(board, log);
  const pollReading = createPollReading({ polls, pollStore, log });

  async function look(): Promise<void> {
    const lookedAt = performance.now();
    if (freshness.take(await readSlots(), lookedAt) === 'behind') boardReading.begin();
    // The ledger is there, and the numbers of the batches do not tell what else was missed.
    boardReading.retry();
    pollReading.retry();
  }

  return {
    listener: {
      onDelta(delta) {
        if (board.fold(delta) === 'gap') boardReading.begin();
      },
      onTooMuch: boardReading.begin,
      onPoll({ pollNo, revision }) {
        if (revision === 'deleted') {
          const poll = polls.byNo(pollNo);
          if (poll !== undefined) onDeleted(poll);
          polls.drop(pollNo);
          board.drop(pollNo);
          return;
        }
        if ((polls.byNo(pollNo)?.revision ?? 0) < revision) pollReading.one(pollNo);
      },
      onBack() {
        boardReading.begin();
        pollReading.all();
      },
    },
    staleMs: freshness.staleMs,
    start() {
      freshness.begin();
      const looking = setInterval(() => {
        look().catch((error: unknown) => log.debug({ err: error }, 'slots not read'));
      }, lookMs);
      looking.unref();
      return () => {
        clearInterval(looking);
        boardReading.stop();
      };
    },
  };
}

/** Reads the board from the ledger, however often it is asked to: a few times a second at most, and less where a reading takes long. */
function createBoardReading(board: Pick<TallyBoard, 'load'>, log: Logger) {
  let timer: NodeJS.Timeout | null = null;
  let begunAt = 0;
  let pauseMs = reloadMs;
  /** The last reading failed: what it was to bring is still missing. */
  let hasFailed = false;

  function begin(): void {
    const waitMs = Math.max(0, begunAt + pauseMs - performance.now());
    timer ??= setTimeout(() => {
      timer = null;
      begunAt = performance.now();
      hasFailed = false;
      const reading = board.load().catch((error: unknown) => {
        hasFailed = true;
        log.warn({ err: error }, 'board not loaded');
      });
      void reading.then(() => {
        pauseMs = Math.max(reloadMs, readingsApart * (performance.now() - begunAt));
      });
    }, waitMs).unref();
  }

  return {
    begin,
    retry() {
      if (hasFailed) begin();
    },
    stop() {
      if (timer !== null) clearTimeout(timer);
    },
  };
}

/** Reads polls that have changed, one of them or all at hand. */
function createPollReading({ polls, pollStore, log }: Pick<KeepCurrentParts, 'polls' | 'pollStore' | 'log'>) {
  /** One could not be read: which of them have changed is not known any more. */
  let hasFailed = false;

  async function readOne(pollNo: number): Promise<void> {
    const poll = await pollStore.find({ by: 'poll_no', name: String(pollNo) });
    if (poll !== null) polls.put(poll);
  }

  /** Changes may have been missed: what is at hand as open and is so no longer is read again. */
  async function readAll(): Promise<void> {
    const unclosed = await polls.load();
    for (const { pollNo, id } of [...polls.all()].filter((poll) => !unclosed.has(poll.pollNo))) {
      const found = await pollStore.find({ by: 'id', name: id });
      if (found === null) polls.drop(pollNo);
      else polls.put(found);
    }
  }

  function watch(reading: Promise<void>): void {
    reading.catch((error: unknown) => {
      hasFailed = true;
      log.warn({ err: error }, 'polls not read');
    });
  }

  function all(): void {
    hasFailed = false;
    watch(readAll());
  }

  return {
    one: (pollNo: number) => watch(readOne(pollNo)),
    all,
    retry() {
      if (hasFailed) all();
    },
  };
}

type Slots = ReadonlyMap<number, number>;

/** Compares the board with what looks at the ledger find. */
function createFreshness(board: Pick<TallyBoard, 'batchNoOf' | 'isWhole'>) {
  /** What the ledger had at the look before: a board that has less now missed something. */
  let seen: Slots = new Map();
  let seenAt = 0;
  /** When the board had everything; null before the beginning. */
  let currentAt: number | null = null;

  const hasAll = (slots: Slots): boolean =>
    board.isWhole() && [...slots].every(([slot, batchNo]) => board.batchNoOf(slot) >= batchNo);

  return {
    begin() {
      currentAt = performance.now();
      seenAt = currentAt;
    },
    staleMs: () => (currentAt === null ? 0 : performance.now() - currentAt),
    take(slots: Slots, lookedAt: number): 'behind' | 'current' {
      const isBehind = !hasAll(seen);
      // What was recorded a moment ago may be on its way to the board.
      if (hasAll(slots)) currentAt = lookedAt;
      else if (!isBehind) currentAt = seenAt;
      seen = slots;
      seenAt = lookedAt;
      return isBehind ? 'behind' : 'current';
    },
  };
}
