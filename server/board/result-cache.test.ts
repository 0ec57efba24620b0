import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makePoll } from '../poll/test-support.ts';
import { withResultCache } from './result-cache.ts';
import type { SharedBoard } from './shared-board.ts';

const keptMs = 5_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

/** A board that answers how often it was asked. */
function createCountingBoard(answer: { servedVia: string; waits?: Promise<void> }) {
  const board = {
    askedCount: 0,
    async read() {
      board.askedCount += 1;
      const votes = board.askedCount;
      const { servedVia } = answer;
      await answer.waits;
      return { votesOf: () => votes, servedVia };
    },
    nodeStates: () => [],
    flushNow: () => Promise.resolve(),
    drop: () => undefined,
    close: () => Promise.resolve(),
  };
  return board;
}

async function readBoth(board: SharedBoard, poll = makePoll()): Promise<[votes: number, servedVia: string]> {
  const { votesOf, servedVia } = await board.read(poll);
  return [votesOf('1'), servedVia];
}

test('a node is asked once in five seconds, and the answers in between say that they are kept', async () => {
  const nodes = createCountingBoard({ servedVia: 'redis_7000' });
  const cache = withResultCache(nodes, { keptMs });
  expect(await readBoth(cache)).toEqual([1, 'redis_7000']);
  vi.advanceTimersByTime(keptMs - 1);
  expect(await readBoth(cache)).toEqual([1, 'app_cache']);
  vi.advanceTimersByTime(1);
  expect(await readBoth(cache)).toEqual([2, 'redis_7000']);
});

test('an answer is as old as its question', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const nodes = createCountingBoard({ servedVia: 'redis_7000', waits: promise });
  const cache = withResultCache(nodes, { keptMs });
  const first = readBoth(cache);
  vi.advanceTimersByTime(keptMs - 1);
  const second = readBoth(cache);
  resolve();
  expect([await first, await second]).toEqual([[1, 'redis_7000'], [1, 'app_cache']]); // prettier-ignore
  vi.advanceTimersByTime(1);
  expect(await readBoth(cache)).toEqual([2, 'redis_7000']);
});

test('what the process answers itself is not kept', async () => {
  const answer = { servedVia: 'in_memory' };
  const cache = withResultCache(createCountingBoard(answer), { keptMs });
  expect(await readBoth(cache)).toEqual([1, 'in_memory']);
  expect(await readBoth(cache)).toEqual([2, 'in_memory']);
  answer.servedVia = 'redis_7000';
  expect(await readBoth(cache)).toEqual([3, 'redis_7000']);
  expect(await readBoth(cache)).toEqual([3, 'app_cache']);
});

test('a poll that has changed or was deleted is asked for anew, and others are their own', async () => {
  const cache = withResultCache(createCountingBoard({ servedVia: 'redis_7000' }), { keptMs });
  await readBoth(cache);
  expect(await readBoth(cache, makePoll({ revision: 2 }))).toEqual([2, 'redis_7000']);
  expect(await readBoth(cache, makePoll({ pollNo: 2 }))).toEqual([3, 'redis_7000']);
  cache.drop(makePoll());
  expect(await readBoth(cache, makePoll({ revision: 2 }))).toEqual([4, 'redis_7000']);
});

test('no more polls are kept than the limit, and none without a time to keep them', async () => {
  const small = withResultCache(createCountingBoard({ servedVia: 'redis_7000' }), { keptMs, pollsMax: 2 });
  for (const pollNo of [1, 2, 3]) await readBoth(small, makePoll({ pollNo }));
  expect((await readBoth(small, makePoll({ pollNo: 3 })))[1]).toBe('app_cache');
  expect((await readBoth(small, makePoll({ pollNo: 1 })))[1]).toBe('redis_7000');
  const none = withResultCache(createCountingBoard({ servedVia: 'redis_7000' }), { keptMs: 0 });
  expect([await readBoth(none), await readBoth(none)]).toEqual([[1, 'redis_7000'], [2, 'redis_7000']]); // prettier-ignore
});
