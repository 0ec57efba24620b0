/** The first ten of 100,000 options: from memory, as every server answers, and from the sorted set that is kept in Redis. */
import { createClient } from '@redis/client';
import pino from 'pino';
import { startServices } from '../scripts/services/start-services.ts';
import { createMemoryBoard } from '../server/board/memory.ts';
import { openRedisLeaderboard } from '../server/board/redis-leaderboard.ts';
import { createResults, type Results } from '../server/board/results.ts';
import type { TallyBoard, TallyWindow } from '../server/board/tally-board.ts';
import { Secret } from '../server/lib/secret.ts';
import { makePoll } from '../server/poll/test-support.ts';
import type { OptionId } from '../server/poll/poll.ts';
import type { Figure } from './pairs.ts';
import type { Question } from './question.ts';
import { median, quantile } from './statistics.ts';

const optionsTotal = 100_000;
const leadersMax = 10;
const msMax = 5;
/** Longer than the server keeps a leaderboard, so that each is worked out. */
const pauseMs = 110;
const windowSeconds = 600;
const installation = 'bench';

export const leaders: Question = async ({ pairs }) => {
  const { urls, stop } = await startServices(['redis']);
  const figures: Figure[] = [];
  try {
    for (const optionsPerPoll of [1_000, 10, 2]) {
      const { results } = fill(optionsPerPoll);
      for (const window of ['all', 'last_ten_minutes'] as const) {
        figures.push(await measureMemory(results, { window, optionsPerPoll, rounds: pairs * 3 }));
      }
    }
    return [...figures, ...(await measureRedis(urls.redisUrls[0] ?? '', pairs * 30))];
  } finally {
    await stop();
  }
};

/** Votes by chance over the last ten minutes. */
function fill(optionsPerPoll: number): { results: Results; board: TallyBoard } {
  const board = createMemoryBoard(() => Promise.reject(new Error('Nobody reads the ledger here.')));
  const options = Array.from({ length: optionsPerPoll }, (_, index) => ({
    optionNo: index + 1,
    id: String(index + 1) as OptionId, // Any text is one here.
    text: `Option ${index + 1}`,
    description: null,
  }));
  const polls = Array.from({ length: optionsTotal / optionsPerPoll }, (_, index) =>
    makePoll({ pollNo: index + 1, options }),
  );
  const nowSecond = Math.floor(Date.now() / 1_000);
  for (const { pollNo } of polls) {
    const changes = options.map(({ optionNo }) => {
      const votes = 1 + Math.floor(Math.random() * 1_000);
      const second = nowSecond - Math.floor(Math.random() * windowSeconds);
      return { pollNo, optionNo, second, votes, ballots: votes, changes: votes };
    });
    board.fold({ slot: 1, batchNo: pollNo, changes });
  }
  const byNo = new Map(polls.map((poll) => [poll.pollNo, poll]));
  const results = createResults({
    epoch: installation,
    board,
    now: Date.now,
    settledThrough: Date.now,
    polls: { all: () => polls, byNo: (pollNo) => byNo.get(pollNo) },
  });
  return { results, board };
}

type MemoryPlan = { readonly window: TallyWindow; readonly optionsPerPoll: number; readonly rounds: number };

async function measureMemory(results: Results, { window, optionsPerPoll, rounds }: MemoryPlan): Promise<Figure> {
  const samples: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const startedAt = performance.now();
    results.leaders(window, leadersMax);
    samples.push(performance.now() - startedAt);
    await pause();
  }
  const where = `of ${optionsTotal} options in ${optionsTotal / optionsPerPoll} polls`;
  return toFigure(`ms for the first ${leadersMax} ${where} from memory, ${window}`, samples);
}

async function measureRedis(url: string, rounds: number): Promise<Figure[]> {
  const { results, board } = fill(10);
  const log = pino({ level: 'silent' });
  const startedAt = performance.now();
  const kept = await openRedisLeaderboard({
    place: { kind: 'server', url: new Secret(url, url) },
    installation,
    results,
    batchNos: board.batchNos,
    log,
  });
  const client = createClient({ url, RESP: 2 });
  await client.connect();
  try {
    const state = `hustings:${installation}:leaders`;
    while ((await client.exists(state)) === 0) await pause();
    const filledMs = performance.now() - startedAt;
    const samples: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const askedAt = performance.now();
      await client.zRangeWithScores(`${state}:all`, 0, leadersMax - 1, { REV: true });
      samples.push(performance.now() - askedAt);
    }
    const figure = toFigure(`ms for the first ${leadersMax} of ${optionsTotal} options from Redis`, samples);
    return [{ ...figure, note: `${figure.note}; both sets were written in ${filledMs.toFixed(0)} ms at most` }];
  } finally {
    client.destroy();
    await kept.stop();
  }
}

function toFigure(what: string, samples: readonly number[]): Figure {
  const [p50, p99] = [median(samples), quantile(samples, 0.99)];
  const note = `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms of ${samples.length}`;
  const ratio = p50 / msMax;
  return {
    question: 'leaders',
    what: `${what} ÷ ${msMax}`,
    a: p50,
    b: msMax,
    ratio,
    ratioMin: Math.min(...samples) / msMax,
    ratioMax: Math.max(...samples) / msMax,
    target: 1,
    smallIsGood: true,
    note,
  };
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pauseMs));
}
