import { expect, test } from 'vitest';
import type { Ballot } from '../poll/ballot.ts';
import { makeBallot, makePoll } from '../poll/test-support.ts';
import type { Outcome } from './ingest-log.ts';
import { createOutstanding } from './outstanding.ts';
import { createQueuedIngestLog, type QueuedLogOptions } from './queued.ts';
import { AppendFailed } from './segment-log.ts';
import { decodeSegment } from './segment.ts';
import { createFakeSegmentLog } from './test-support.ts';

const acceptedAt = 1_700_000_000_000;
const poll = makePoll();
const silentLog = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {
  // What fails on purpose needs no line.
}

function createSample(options: Partial<QueuedLogOptions> = {}, appendsMax = 1) {
  const state = { clockErrorMs: 1, backlog: 0 };
  const segments = createFakeSegmentLog({ appendsMax });
  const outstanding = createOutstanding();
  const log = createQueuedIngestLog(
    {
      segments,
      outstanding,
      clockErrorMs: () => state.clockErrorMs,
      backlog: () => state.backlog,
      settledThrough: () => 0,
      log: silentLog,
    },
    {
      ledger: Buffer.alloc(8, 1),
      nodeId: Buffer.alloc(16, 2),
      ballotsWaitingMax: 1_000,
      segmentsWaitingMax: 10,
      segmentBallotsMax: 100,
      ...options,
    },
  );
  const outcomes: Outcome[] = [];
  const append = (ballot: Ballot): void => log.append(ballot, (outcome) => outcomes.push(outcome));
  const sizes = (): number[] => segments.appended.map((bytes) => decodeSegment(bytes).ballots.length);
  return { state, segments, outstanding, log, outcomes, append, sizes };
}

const accept = (no: number, change: Partial<Ballot> = {}): Ballot =>
  makeBallot(poll, no, { acceptedUs: (acceptedAt + no) * 1_000 + 7, ...change });

test('what arrives while an append is under way leaves together as the next segment', async () => {
  const { append, segments, sizes, outcomes } = createSample();
  append(accept(1));
  await expect.poll(() => sizes()).toEqual([1]);
  for (let no = 2; no <= 8; no += 1) append(accept(no));
  await new Promise((resolve) => setImmediate(resolve));
  expect([sizes(), outcomes]).toEqual([[1], []]);
  segments.confirm();
  await expect.poll(() => sizes()).toEqual([1, 7]);
  expect(outcomes).toEqual([{ kind: 'accepted', castAt: acceptedAt + 1 }]);
  segments.confirm();
  await expect.poll(() => outcomes).toHaveLength(8);
  expect(segments.appended.map((bytes) => decodeSegment(bytes).segmentNo)).toEqual([1, 2]);
});

test('a segment has at most so many ballots and so many bytes, and the rest follows', async () => {
  const { append, segments, sizes, outcomes, log } = createSample({ segmentBallotsMax: 3 });
  for (let no = 1; no <= 8; no += 1) append(accept(no));
  expect(log.waitingCount()).toBe(8);
  for (const expected of [[3], [3, 3], [3, 3, 2]]) {
    await expect.poll(() => sizes()).toEqual(expected);
    segments.confirm();
  }
  await expect.poll(() => outcomes).toHaveLength(8);
  const large = createSample({ segmentBallotsMax: 100_000, ballotsWaitingMax: 100_000 });
  const selections = Array.from({ length: 200 }, (_, index) => index + 1);
  for (let no = 1; no <= 3_000; no += 1) large.append(accept(no, { selections }));
  await expect.poll(() => large.segments.appended).toHaveLength(1);
  expect(large.segments.appended[0]?.length).toBeLessThanOrEqual(900_000);
});

test('beyond its limits the log refuses at once, and what was refused never left', async () => {
  const { append, outcomes, segments, state, log } = createSample({ ballotsWaitingMax: 2 });
  for (let no = 1; no <= 3; no += 1) append(accept(no));
  await expect.poll(() => outcomes).toHaveLength(1);
  expect(outcomes).toEqual([{ kind: 'failed', code: 'ingest_log_full', recorded: 'no' }]);
  await expect.poll(() => segments.appended).toHaveLength(1);
  segments.confirm();
  await expect.poll(() => outcomes).toHaveLength(3);
  state.backlog = 10;
  append(accept(4));
  await expect.poll(() => outcomes.at(-1)).toMatchObject({ code: 'ingest_log_full', recorded: 'no' });
  state.backlog = 0;
  const drained = log.drain();
  append(accept(5));
  await drained;
  await expect.poll(() => outcomes.at(-1)).toMatchObject({ code: 'shutting_down', recorded: 'no' });
  expect(segments.appended).toHaveLength(1);
});

test('an append that fails says what is certain, and the ballots after it are sent all the same', async () => {
  const { append, outcomes, segments, outstanding, sizes } = createSample();
  append(accept(1));
  await expect.poll(() => sizes()).toEqual([1]);
  segments.confirm(new AppendFailed('ingest_log_full', 'no'));
  await expect.poll(() => outcomes).toMatchObject([{ code: 'ingest_log_full', recorded: 'no' }]);
  expect(outstanding.count()).toBe(0);
  append(accept(2));
  await expect.poll(() => sizes()).toEqual([1, 1]);
  segments.confirm(new AppendFailed('ingest_log_unavailable', 'unknown'));
  await expect.poll(() => outcomes.at(-1)).toMatchObject({ recorded: 'unknown' });
  // It may be in the log: a poll that closes waits for it.
  expect(outstanding.oldestAt()).toBe(acceptedAt + 2);
  append(accept(3));
  await expect.poll(() => sizes()).toEqual([1, 1, 1]);
});

test('what waits behind a segment that the broker did not answer is refused at once, and never left', async () => {
  const { append, outcomes, segments, sizes, log } = createSample();
  append(accept(1));
  await expect.poll(() => sizes()).toEqual([1]);
  append(accept(2));
  append(accept(3));
  await new Promise((resolve) => setImmediate(resolve));
  segments.confirm(new AppendFailed('ingest_log_unavailable', 'unknown'));
  await expect.poll(() => outcomes).toHaveLength(3);
  expect(outcomes).toMatchObject([{ recorded: 'unknown' }, { recorded: 'no' }, { recorded: 'no' }]);
  expect([sizes(), log.waitingCount()]).toEqual([[1], 0]);
});

test('a ballot is taken only where its poll is open at the moment of acceptance', async () => {
  const { append, outcomes, segments } = createSample();
  const closing = makePoll({ closesAt: acceptedAt });
  for (const [at, change] of [
    [-1, { poll: closing }],
    [0, { poll: closing }],
    [0, { poll: makePoll({ pausedAt: acceptedAt }) }],
    [0, { poll: makePoll({ opensAt: acceptedAt + 1 }) }],
  ] as const) {
    append(accept(1, { ...change, acceptedUs: (acceptedAt + at) * 1_000 }));
  }
  await expect.poll(() => outcomes).toHaveLength(3);
  expect(outcomes).toEqual([{ kind: 'not_taken' }, { kind: 'not_taken' }, { kind: 'not_taken' }]);
  await expect.poll(() => segments.appended).toHaveLength(1);
});

test('where the clock is not known well enough, ballots near a close are refused, and no others', async () => {
  const { append, outcomes, segments, state } = createSample();
  state.clockErrorMs = 60;
  for (const msLeft of [10, 60, 61]) {
    append(accept(0, { poll: makePoll({ closesAt: acceptedAt + msLeft }), acceptedUs: acceptedAt * 1_000 }));
  }
  append(accept(0, { acceptedUs: acceptedAt * 1_000 }));
  state.clockErrorMs = 50;
  append(accept(0, { poll: makePoll({ closesAt: acceptedAt + 10 }), acceptedUs: acceptedAt * 1_000 }));
  await expect.poll(() => outcomes).toHaveLength(2);
  expect(outcomes).toMatchObject(Array(2).fill({ code: 'ledger_unavailable', recorded: 'no' }));
  await expect.poll(() => decodeSegment(segments.appended[0] ?? Buffer.alloc(0)).ballots).toHaveLength(3);
});
