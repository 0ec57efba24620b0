import { expect, test, vi } from 'vitest';
import { makePoll } from '../poll/test-support.ts';
import { createSeriesReader } from './series.ts';

const second = 1_700_000_000;

/** A reader whose ledger has these votes in the first second, and takes so long to say so. */
function createSample({ votes = 1, tookMs = 0 } = {}) {
  const state = { readings: 0, fails: false };
  const reader = createSeriesReader({
    now: () => second * 1_000 + 2_500,
    async readBuckets() {
      state.readings += 1;
      if (tookMs > 0) vi.advanceTimersByTime(tookMs);
      if (state.fails) throw new Error('The ledger is away.');
      return { stepSeconds: 1, buckets: [{ second, votes }] };
    },
  });
  return { reader, state };
}

test('a series goes from the first vote to now, with its peak', async () => {
  const { reader } = createSample({ votes: 7 });
  const poll = makePoll();
  const at = (offset: number) => new Date((second + offset) * 1_000).toISOString();
  expect(await reader.read(poll)).toEqual({
    pollId: poll.id,
    stepSeconds: 1,
    points: [7, 0, 0].map((votes, offset) => ({ at: at(offset), votes })),
    peak: { at: at(0), votes: 7 },
  });
});

test('a series ends with its poll', async () => {
  const { reader } = createSample();
  const series = await reader.read(makePoll({ closesAt: second * 1_000 + 1_000 }));
  expect(series.points).toHaveLength(2);
});

test('whoever asks within a second shares a reading, of each poll its own', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const { reader, state } = createSample();
    const [one, two] = [makePoll(), makePoll({ pollNo: 2 })];
    await Promise.all([reader.read(one), reader.read(one), reader.read(two)]);
    vi.advanceTimersByTime(999);
    await reader.read(one);
    expect(state.readings).toBe(2);
    vi.advanceTimersByTime(1);
    await reader.read(one);
    expect(state.readings).toBe(3);
  } finally {
    vi.useRealTimers();
  }
});

test('a series that takes long to read is read less often', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const { reader, state } = createSample({ tookMs: 500 });
    const poll = makePoll();
    await reader.read(poll);
    vi.advanceTimersByTime(4_400);
    await reader.read(poll);
    expect(state.readings).toBe(1);
    vi.advanceTimersByTime(200);
    await reader.read(poll);
    expect(state.readings).toBe(2);
  } finally {
    vi.useRealTimers();
  }
});

test('a reading that failed is not kept', async () => {
  const { reader, state } = createSample();
  state.fails = true;
  await expect(reader.read(makePoll())).rejects.toThrow('The ledger is away.');
  state.fails = false;
  expect((await reader.read(makePoll())).points).toHaveLength(3);
});
