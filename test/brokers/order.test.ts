import { expect, test } from 'vitest';
import { createFakeSegmentLog, type FakeSegmentLog } from '../../server/ingest-log/test-support.ts';
import { createRandom, pickSeed } from '../crash/random.ts';
import { drawCasts, toSegments, type Cast } from './casts.ts';
import { openRecording, type LedgerState } from './recording.ts';

const castCount = 3_000;
const timesMax = 5;
const window = 50;
/** Segments in hand of one worker, as a broker gives them. More than the window: what a ballot waits for is in hand as well. */
const inHandMax = 64;
const waitMsMax = 60_000;

/** Hands over each of these, so many at a time, and waits until all are acknowledged. */
async function deliverAll(logs: readonly FakeSegmentLog[], segments: readonly Buffer[], inHand: number): Promise<void> {
  const open = new Set<() => number>();
  const countOpen = (): number => {
    for (const acknowledged of open) if (acknowledged() > 0) open.delete(acknowledged);
    return open.size;
  };
  for (const [index, bytes] of segments.entries()) {
    await expect.poll(countOpen, { timeout: waitMsMax, interval: 1 }).toBeLessThan(inHand);
    const log = logs[index % logs.length];
    if (log !== undefined) open.add(log.deliver(bytes));
  }
  await expect.poll(countOpen, { timeout: waitMsMax, interval: 1 }).toBe(0);
}

/** Each 1 to 5 times, and none further from its place than the window. */
function repeatAndShuffle(segments: readonly Buffer[], random: () => number): Buffer[] {
  const repeated = segments.flatMap((bytes) =>
    Array.from({ length: 1 + Math.floor(random() * timesMax) }, () => bytes),
  );
  return repeated
    .map((bytes, place) => ({ bytes, place: place + random() * window }))
    .sort((a, b) => a.place - b.place)
    .map(({ bytes }) => bytes);
}

test('every message delivered 1 to 5 times and shuffled within a window gives the same ledger', async () => {
  const seed = pickSeed();
  console.log(`deliveries with HUSTINGS_CRASH_SEED=${seed}`);
  const random = createRandom(seed);
  const casts = drawCasts(castCount, random);
  const startUs = Date.now() * 1_000;
  const [orderly, shuffled] = await Promise.all([openRecording(), openRecording()]);

  const oneLog = createFakeSegmentLog();
  await orderly.startWorker(oneLog);
  const segments = await toSegments(orderly, casts, startUs);
  await deliverAll([oneLog], segments, 1);

  const twoLogs = [createFakeSegmentLog(), createFakeSegmentLog()];
  for (const log of twoLogs) await shuffled.startWorker(log);
  const deliveries = repeatAndShuffle(await toSegments(shuffled, casts, startUs), random);
  await deliverAll(twoLogs, deliveries, inHandMax);

  const expected = await orderly.readState();
  expectWhole(expected, casts);
  expect(await shuffled.readState()).toEqual(expected);
  expect([oneLog, ...twoLogs].flatMap(({ buried }) => buried)).toEqual([]);
  console.log(`${casts.length} ballots in ${segments.length} segments, ${deliveries.length} deliveries`);
});

/** The run had something of everything, and its counts fit together. */
function expectWhole({ ballots, history, refusals, votesBySecond }: LedgerState, casts: readonly Cast[]): void {
  const voters = new Set(casts.map(({ pollIndex, voter, key }) => `${pollIndex} ${pollIndex === 2 ? key : voter}`));
  const replacing = new Set(casts.flatMap(({ pollIndex, key }) => (pollIndex === 1 ? [key] : [])));
  expect([ballots.length, history.length, votesBySecond]).toEqual([voters.size, replacing.size, voters.size]);
  expect(refusals.length).toBeGreaterThan(castCount / 100);
}
