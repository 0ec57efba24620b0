import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LedgerState } from '../tally/ledger-state.ts';
import type { TallyChange, TallyDelta } from '../tally/tally-change.ts';
import { createMemoryBoard } from './memory.ts';

const second = 1_700_000_000;
const nowMs = second * 1000;
const empty: LedgerState = { batchNoBySlot: new Map(), tallies: [], seconds: [] };

const votesFor = (optionNo: number, votes: number): TallyChange => ({
  pollNo: 1,
  optionNo,
  second,
  votes,
  ballots: votes,
  changes: Math.max(votes, 0),
});
const deltaOf = (slot: number, batchNo: number, ...changes: TallyChange[]): TallyDelta => ({ slot, batchNo, changes });

/** Lets everything run that waits for nothing but its turn. */
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A ledger that answers each reading when the test says so. */
function createSlowLedger() {
  const readings: { answer(state: LedgerState): Promise<void>; fail(error: Error): Promise<void> }[] = [];
  return {
    readings,
    read: () =>
      new Promise<LedgerState>((resolve, reject) => {
        readings.push({
          answer: (state) => (resolve(state), nextTurn()),
          fail: (error) => (reject(error), nextTurn()),
        });
      }),
  };
}

/** What the ledger holds after these deltas. */
function toLedgerState(deltas: readonly TallyDelta[]): LedgerState {
  const changes = deltas.flatMap((delta) => delta.changes);
  return {
    batchNoBySlot: new Map(deltas.map(({ slot, batchNo }) => [slot, batchNo])),
    tallies: [...Map.groupBy(changes, ({ optionNo }) => optionNo)].map(([optionNo, some]) => ({
      pollNo: 1,
      optionNo,
      votes: sum(some, 'votes'),
      ballots: sum(some, 'ballots'),
      changes: sum(some, 'changes'),
    })),
    seconds: changes
      .filter(({ optionNo }) => optionNo > 0)
      .map(({ optionNo, votes }) => ({ pollNo: 1, optionNo, second, votes })),
  };
}

const sum = (changes: readonly TallyChange[], field: 'votes' | 'ballots' | 'changes'): number =>
  changes.reduce((total, change) => total + change[field], 0);

test('a poll that nobody voted in is all zero', () => {
  const board = createMemoryBoard(() => Promise.resolve(empty));
  const tally = board.read(1, nowMs);
  expect(tally).toMatchObject({ version: 0, ballots: 0, lastTenMinutes: 0, votesPerSecond: 0 });
  expect([tally.votesOf(1), tally.lastTenMinutesOf(1), board.versionOf(1)]).toEqual([0, 0, 0]);
});

test('batches add up, each slot by its own numbers', () => {
  const board = createMemoryBoard(() => Promise.resolve(empty));
  expect(board.fold(deltaOf(1, 1, votesFor(1, 2)))).toBe('folded');
  expect(board.fold(deltaOf(2, 1, votesFor(2, 3)))).toBe('folded');
  expect(board.fold(deltaOf(1, 2, votesFor(1, -1), votesFor(2, 1)))).toBe('folded');
  const tally = board.read(1, nowMs);
  expect(tally).toMatchObject({ version: 6, ballots: 5, lastTenMinutes: 5 });
  expect([tally.votesOf(1), tally.votesOf(2), tally.lastTenMinutesOf(2)]).toEqual([1, 4, 4]);
  expect(board.read(1, nowMs + 600_000)).toMatchObject({ ballots: 5, lastTenMinutes: 0 });
});

test('a blank ballot counts as a ballot and as no vote', () => {
  const board = createMemoryBoard(() => Promise.resolve(empty));
  board.fold(deltaOf(1, 1, { pollNo: 1, optionNo: 0, second, votes: 0, ballots: 1, changes: 1 }));
  expect(board.read(1, nowMs)).toMatchObject({ version: 1, ballots: 1, lastTenMinutes: 0 });
  expect(board.read(1, nowMs).votesOf(0)).toBe(0);
});

test('a repeat changes nothing, and a gap is told', () => {
  const board = createMemoryBoard(() => Promise.resolve(empty));
  board.fold(deltaOf(1, 1, votesFor(1, 1)));
  expect(board.fold(deltaOf(1, 1, votesFor(1, 1)))).toBe('repeat');
  expect(board.fold(deltaOf(1, 3, votesFor(1, 1)))).toBe('gap');
  expect(board.fold(deltaOf(1, 2, votesFor(1, 1)))).toBe('repeat');
  expect(board.fold(deltaOf(2, 4, votesFor(1, 1)))).toBe('gap');
  expect(board.read(1, nowMs).votesOf(1)).toBe(3);
});

test('several batches in one delta are folded once, and never in part', () => {
  const board = createMemoryBoard(() => Promise.resolve(empty));
  const upTo = (batchNo: number, batchCount: number): TallyDelta => ({
    ...deltaOf(1, batchNo, votesFor(1, batchCount)),
    batchCount,
  });
  expect(board.fold(upTo(3, 3))).toBe('folded');
  expect(board.fold(upTo(3, 2))).toBe('repeat');
  expect(board.fold(upTo(5, 3))).toBe('gap');
  expect([board.read(1, nowMs).votesOf(1), board.batchNoOf(1)]).toEqual([3, 3]);
  expect(board.fold(upTo(5, 2))).toBe('folded');
  expect(board.fold(upTo(9, 2))).toBe('gap');
  expect([board.read(1, nowMs).votesOf(1), board.batchNoOf(1)]).toEqual([7, 9]);
});

test('a poll that was dropped has no votes', () => {
  const board = createMemoryBoard(() => Promise.resolve(empty));
  board.fold(deltaOf(1, 1, votesFor(1, 2)));
  board.drop(1);
  expect(board.read(1, nowMs)).toMatchObject({ version: 0, ballots: 0 });
});

test('a poll that was dropped is not brought back by what was on its way', async () => {
  const { readings, read } = createSlowLedger();
  const board = createMemoryBoard(read);
  const loading = board.load();
  board.drop(1);
  expect(board.fold(deltaOf(2, 1, votesFor(1, 3)))).toBe('folded');
  await readings[0]?.answer(toLedgerState([deltaOf(1, 1, votesFor(1, 5))]));
  await loading;
  expect(board.read(1, nowMs)).toMatchObject({ version: 0, ballots: 0, lastTenMinutes: 0 });
  expect([board.batchNoOf(1), board.batchNoOf(2)]).toEqual([1, 1]);
});

test('a load replaces the board, window and all', async () => {
  const board = createMemoryBoard(() => Promise.resolve(toLedgerState([deltaOf(1, 4, votesFor(2, 6))])));
  board.fold(deltaOf(1, 1, votesFor(1, 1)));
  await board.load();
  expect(board.read(1, nowMs)).toMatchObject({ version: 6, ballots: 6, lastTenMinutes: 6 });
  expect([board.read(1, nowMs).votesOf(1), board.read(1, nowMs).votesOf(2)]).toEqual([0, 6]);
  expect(board.fold(deltaOf(1, 5, votesFor(1, 1)))).toBe('folded');
});

test('what is folded during a load counts once, whether the reading holds it or not', async () => {
  const { readings, read } = createSlowLedger();
  const board = createMemoryBoard(read);
  const loading = board.load();
  expect(board.fold(deltaOf(1, 1, votesFor(1, 1)))).toBe('folded');
  expect(board.fold(deltaOf(1, 2, votesFor(1, 10)))).toBe('folded');
  expect(board.read(1, nowMs).votesOf(1)).toBe(11);
  await readings[0]?.answer(toLedgerState([deltaOf(1, 1, votesFor(1, 1))]));
  await loading;
  expect(board.read(1, nowMs)).toMatchObject({ ballots: 11, lastTenMinutes: 11 });
});

test('a load asked for during another reads again, and those who wait share that reading', async () => {
  const { readings, read } = createSlowLedger();
  const board = createMemoryBoard(read);
  const first = board.load();
  const waiting = [board.load(), board.load()];
  expect(readings).toHaveLength(1);
  await readings[0]?.answer(empty);
  await first;
  expect(readings).toHaveLength(2);
  const later = toLedgerState([deltaOf(1, 1, votesFor(1, 5))]);
  await readings[1]?.answer(later);
  await Promise.all(waiting);
  expect(readings).toHaveLength(2);
  expect(board.read(1, nowMs).votesOf(1)).toBe(5);
});

test('a load asked for at the moment when one ends and the next begins overlaps neither', async () => {
  const { readings, read } = createSlowLedger();
  const board = createMemoryBoard(read);
  const again = board.load().then(() => board.load());
  const following = board.load();
  await readings[0]?.answer(empty);
  expect(readings).toHaveLength(2);
  board.fold(deltaOf(1, 1, votesFor(1, 1)));
  await readings[1]?.answer(empty);
  await readings[2]?.answer(toLedgerState([deltaOf(1, 1, votesFor(1, 1))]));
  await Promise.all([again, following]);
  expect(board.read(1, nowMs).votesOf(1)).toBe(1);
});

test('a load that fails leaves the board as it was, and the next one reads again', async () => {
  const { readings, read } = createSlowLedger();
  const board = createMemoryBoard(read);
  board.fold(deltaOf(1, 1, votesFor(1, 1)));
  const failing = board.load().catch(String);
  const waiting = board.load();
  board.fold(deltaOf(1, 2, votesFor(1, 1)));
  await readings[0]?.fail(new Error('away'));
  expect(await failing).toBe('Error: away');
  expect(board.read(1, nowMs).votesOf(1)).toBe(2);
  await readings[1]?.answer(toLedgerState([deltaOf(1, 2, votesFor(1, 7))]));
  await waiting;
  expect(board.read(1, nowMs).votesOf(1)).toBe(7);
});

/** A vote a batch. */
const upTo = (batchNo: number, batchCount = 1): TallyDelta => ({
  ...deltaOf(1, batchNo, votesFor(1, batchCount)),
  batchCount,
});
const ledgerAt = (batchNo: number): LedgerState =>
  toLedgerState(Array.from({ length: batchNo }, (_, index) => upTo(index + 1)));

test('where a reading ends inside of what was heard as one, a board that has all of it stays as it is', async () => {
  const { readings, read } = createSlowLedger();
  const board = createMemoryBoard(read);
  for (let batchNo = 1; batchNo <= 4; batchNo += 1) board.fold(upTo(batchNo));
  const loading = board.load();
  expect([board.fold(upTo(8, 4)), board.fold(upTo(9))]).toEqual(['folded', 'folded']);
  await readings[0]?.answer(ledgerAt(6));
  await loading;
  expect([board.read(1, nowMs).ballots, board.batchNoOf(1), board.isWhole()]).toEqual([9, 9, true]);
});

test('where a reading ends inside of what was heard as one, a board that has not all of it says so until it is read again', async () => {
  const { readings, read } = createSlowLedger();
  const board = createMemoryBoard(read);
  const loading = board.load();
  expect([board.fold(upTo(8, 4)), board.fold(upTo(9))]).toEqual(['gap', 'folded']);
  await readings[0]?.answer(ledgerAt(6));
  await loading;
  expect(board.isWhole()).toBe(false);
  const again = board.load();
  await readings[1]?.answer(ledgerAt(9));
  await again;
  expect([board.read(1, nowMs).ballots, board.isWhole()]).toEqual([9, true]);
});

type Event = { kind: 'commit'; slot: number; votes: number } | { kind: 'load' | 'answer' | 'fail' | 'tell' };

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('commit' as const),
      slot: fc.integer({ min: 1, max: 3 }),
      votes: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('load' as const, 'answer' as const, 'fail' as const) }) },
);

test('for any order of batches, loads and answers the board ends where the ledger is', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 30 }), async (events) => {
      const { readings, read } = createSlowLedger();
      const committed: TallyDelta[] = [];
      const snapshots: LedgerState[] = [];
      // A reading shows the ledger as it was when it began.
      const board = createMemoryBoard(() => {
        snapshots.push(toLedgerState(committed));
        return read();
      });
      const loads: Promise<unknown>[] = [];
      let answeredCount = 0;
      const answerNext = async (failing: boolean): Promise<void> => {
        const reading = readings[answeredCount];
        const snapshot = snapshots[answeredCount];
        if (reading === undefined || snapshot === undefined) return;
        answeredCount += 1;
        await (failing ? reading.fail(new Error('away')) : reading.answer(snapshot));
      };
      for (const each of events) {
        if (each.kind === 'commit') {
          const batchNo = 1 + committed.filter(({ slot }) => slot === each.slot).length;
          const delta = deltaOf(each.slot, batchNo, votesFor(1, each.votes));
          committed.push(delta);
          expect(board.fold(delta)).toBe('folded');
        } else if (each.kind === 'load') {
          loads.push(board.load().catch(() => 'failed'));
        } else {
          await answerNext(each.kind === 'fail');
        }
      }
      while (answeredCount < readings.length) await answerNext(false);
      await Promise.all(loads);
      const expected = committed.reduce((total, { changes }) => total + sum(changes, 'votes'), 0);
      const tally = board.read(1, nowMs);
      expect([tally.votesOf(1), tally.ballots, tally.version, tally.lastTenMinutes]).toEqual([
        expected,
        expected,
        expected,
        expected,
      ]);
    }),
    { numRuns: 100 },
  );
});

test('for any batches of another process, told one by one or several as one, a board that is whole is where it says', async () => {
  const told = fc.oneof(event, fc.record({ kind: fc.constant('tell' as const) }));
  await fc.assert(
    fc.asyncProperty(fc.array(told, { maxLength: 40 }), async (events) => {
      const { readings, read } = createSlowLedger();
      const committed: TallyDelta[] = [];
      const snapshots: LedgerState[] = [];
      const untold = new Map<number, TallyDelta[]>();
      const board = createMemoryBoard(() => (snapshots.push(toLedgerState(committed)), read()));
      let answeredCount = 0;
      const answerNext = async (failing: boolean): Promise<void> => {
        const [reading, snapshot] = [readings[answeredCount], snapshots[answeredCount]];
        if (reading === undefined || snapshot === undefined) return;
        answeredCount += 1;
        await (failing ? reading.fail(new Error('away')) : reading.answer(snapshot));
      };
      const expectRight = (): void => {
        if (!board.isWhole()) return;
        const known = committed.filter(({ slot, batchNo }) => batchNo <= board.batchNoOf(slot));
        expect(board.read(1, nowMs).ballots).toBe(
          known.reduce((total, { changes }) => total + sum(changes, 'votes'), 0),
        );
      };
      const loads: Promise<unknown>[] = [];
      for (const each of events) {
        if (each.kind === 'commit') {
          const batchNo = 1 + committed.filter(({ slot }) => slot === each.slot).length;
          const delta = deltaOf(each.slot, batchNo, votesFor(1, each.votes));
          committed.push(delta);
          untold.set(each.slot, [...(untold.get(each.slot) ?? []), delta]);
        } else if (each.kind === 'tell') {
          for (const [slot, deltas] of untold) {
            const changes = deltas.flatMap((delta) => delta.changes);
            board.fold({ slot, batchNo: deltas.at(-1)?.batchNo ?? 0, batchCount: deltas.length, changes });
          }
          untold.clear();
        } else if (each.kind === 'load') {
          loads.push(board.load().catch(() => 'failed'));
        } else {
          await answerNext(each.kind === 'fail');
        }
        expectRight();
      }
      while (answeredCount < readings.length) await answerNext(false);
      await Promise.all(loads);
      expectRight();
    }),
    { numRuns: 300 },
  );
});
