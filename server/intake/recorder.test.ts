import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { createMemoryBoard } from '../board/memory.ts';
import type { Outcome } from '../ingest-log/ingest-log.ts';
import type { BatchRecorded } from '../ledger/ballot-lane.ts';
import { toUuidText } from '../lib/uuid-v7.ts';
import type { Ballot } from '../poll/ballot.ts';
import { makeBallot, makePoll, toKey } from '../poll/test-support.ts';
import { createRecorder, type RecorderOptions } from './recorder.ts';
import { createFakeLedger, silentLog, type Attempt } from './test-support.ts';

const start = 1_700_000_000_000;
const poll = makePoll({ pollNo: 1 });
const changeablePoll = makePoll({ pollNo: 2, revote: 'replace' });
/** Far beyond what it takes: a busy machine is no failure. */
const endMsMax = 30_000;

function createSample(options: Partial<RecorderOptions> = {}, laneCount = 1) {
  const clock = { now: start };
  const { ledger, createLane, readState } = createFakeLedger(() => clock.now);
  const board = createMemoryBoard(readState);
  const lanes = Array.from({ length: laneCount }, (_, index) => createLane(index + 1));
  const recorder = createRecorder(
    { lanes, board, now: () => clock.now, log: silentLog },
    { batchBallotsMax: 100, recoveryPauseMs: 0, ...options },
  );
  const votesOf = (optionNo = 1, pollNo = 1): number => board.read(pollNo, clock.now).votesOf(optionNo);
  return { clock, ledger, board, lanes, recorder, votesOf };
}

type Sample = ReturnType<typeof createSample>;

const record = ({ recorder }: Pick<Sample, 'recorder'>, ballot: Ballot): Promise<Outcome> =>
  new Promise((resolve) => {
    recorder.record(ballot, resolve);
  });
const recordAll = (sample: Sample, ballots: readonly Ballot[]): Promise<Outcome[]> =>
  Promise.all(ballots.map((ballot) => record(sample, ballot)));
const ballotsOf = (count: number): Ballot[] => Array.from({ length: count }, (_, index) => makeBallot(poll, index + 1));

test('a ballot is settled after its COMMIT, and the board shows it by then', async () => {
  const sample = createSample();
  const outcome = await new Promise<Outcome>((resolve) => {
    sample.recorder.record(makeBallot(poll, 1), (settled) => {
      expect(sample.votesOf()).toBe(1);
      resolve(settled);
    });
    expect(sample.ledger.batches).toEqual([]);
  });
  expect(outcome).toEqual({ kind: 'counted', castAt: start, version: 1 });
  expect(sample.recorder.awayMs()).toBe(0);
});

test('a receipt has no version where it would tell a hidden count', async () => {
  const hidden = makePoll({ visibility: 'after_close' });
  expect(await record(createSample(), makeBallot(hidden, 1))).toMatchObject({ kind: 'counted', version: null });
});

test('ballots that come together share a batch, and those that come meanwhile the next', async () => {
  const sample = createSample();
  const first = recordAll(sample, ballotsOf(3));
  await expect.poll(() => sample.ledger.batches, { interval: 1 }).toHaveLength(1);
  await Promise.all([
    first,
    ...ballotsOf(9)
      .slice(3)
      .map((ballot) => record(sample, ballot)),
  ]);
  expect(sample.ledger.batches.map(({ length }) => length)).toEqual([3, 6]);
});

test('a batch holds no more than its limit, and free lanes share the rest', async () => {
  const sample = createSample({ batchBallotsMax: 4 }, 2);
  await recordAll(sample, ballotsOf(10));
  expect(sample.ledger.batches.map(({ length }) => length)).toEqual([4, 4, 2]);
  expect(sample.votesOf()).toBe(10);
});

test('the policy whose ballot was accepted first goes first', async () => {
  const sample = createSample();
  const ballots = [makeBallot(poll, 3), makeBallot(changeablePoll, 1), makeBallot(changeablePoll, 2)];
  await recordAll(sample, ballots);
  expect(sample.ledger.batches.map((batch) => batch[0]?.ballot.poll.revote)).toEqual(['replace', 'refuse']);
});

test('a voter who changes twice within one batch ends with the last', async () => {
  const sample = createSample();
  const voterKey = toKey(7);
  const ballots = [1, 2, 3].map((idNo) => makeBallot(changeablePoll, idNo, { voterKey, selections: [idNo] }));
  const outcomes = await recordAll(sample, ballots.toReversed());
  expect(outcomes.map(({ kind }) => kind)).toEqual(['counted', 'counted', 'counted']);
  expect([1, 2, 3].map((optionNo) => sample.votesOf(optionNo, 2))).toEqual([0, 0, 1]);
});

test('an answer that comes after the close of the poll, or after another ballot, is passed on', async () => {
  const sample = createSample();
  const voterKey = toKey(7);
  await record(sample, makeBallot(poll, 1, { voterKey, retryKey: toKey(9) }));
  expect(await record(sample, makeBallot(poll, 2, { voterKey }))).toEqual({
    kind: 'stands',
    standing: { ballotId: toUuidText(toKey(1)), castAt: start, version: 1 },
    retryKey: toUuidText(toKey(9)),
    selections: '1',
  });
  const [lane] = sample.lanes;
  if (lane === undefined) throw new Error('there is a lane');
  const verdicts = new Map([[0, { kind: 'not_taken' } as const]]);
  vi.spyOn(lane, 'record').mockResolvedValueOnce({ castAt: start, slot: 1, batchNo: 2, verdicts });
  expect(await record(sample, makeBallot(poll, 3))).toEqual({ kind: 'not_taken' });
});

test('a batch that was refused is recorded by the next attempt, and nobody hears of it', async () => {
  const sample = createSample();
  sample.ledger.attempts = ['refused', 'refused'];
  const counted = { kind: 'counted', castAt: start, version: 1 };
  expect(await recordAll(sample, ballotsOf(2))).toEqual([counted, counted]);
  expect(sample.ledger.batches).toHaveLength(3);
  expect([sample.votesOf(), sample.recorder.awayMs()]).toEqual([2, 0]);
});

test('a batch in doubt that was in the ledger is found there, and counts once', async () => {
  const sample = createSample();
  sample.ledger.attempts = ['lost_after'];
  const ballots = ballotsOf(2);
  const outcomes = await recordAll(sample, ballots);
  expect(outcomes).toMatchObject(
    ballots.map(({ id }) => ({ kind: 'stands', standing: { ballotId: toUuidText(id), castAt: start, version: 1 } })),
  );
  expect([sample.votesOf(), sample.ledger.counted.size]).toEqual([2, 2]);
});

test('a batch in doubt that was not in the ledger is recorded', async () => {
  const sample = createSample();
  sample.ledger.attempts = ['lost_before', 'refused', 'lost_before'];
  expect(await recordAll(sample, ballotsOf(2))).toMatchObject([{ kind: 'counted' }, { kind: 'counted' }]);
  expect([sample.votesOf(), sample.ledger.counted.size]).toEqual([2, 2]);
});

test.for<[attempt: Attempt, recorded: 'no' | 'unknown']>([
  ['refused', 'no'],
  ['lost_before', 'unknown'],
  ['lost_after', 'unknown'],
])(
  'a batch that stays %s is given up as recorded: %s, and what waits behind it was not',
  async ([attempt, recorded]) => {
    const sample = createSample({ batchBallotsMax: 2, recoveryMsMax: 0 });
    sample.ledger.attempts = [attempt];
    const outcomes = await recordAll(sample, [...ballotsOf(4), makeBallot(changeablePoll, 9)]);
    expect(outcomes).toMatchObject([
      { kind: 'failed', code: 'ledger_unavailable', recorded, cause: expect.any(Error) },
      { kind: 'failed', code: 'ledger_unavailable', recorded },
      ...Array.from({ length: 3 }, () => ({ kind: 'failed', code: 'ledger_unavailable', recorded: 'no' })),
    ]);
  },
);

test('one attempt in doubt leaves a batch in doubt, whatever the later ones say', async () => {
  const sample = createSample({ recoveryMsMax: 20 });
  sample.ledger.attempts = ['lost_before', ...Array<Attempt>(1_000).fill('refused')];
  expect(await record(sample, makeBallot(poll, 1))).toMatchObject({ kind: 'failed', recorded: 'unknown' });
});

test('after it gave up, the recorder finds a ledger that is back by itself, and what it holds', async () => {
  const sample = createSample({ recoveryMsMax: 0 });
  sample.ledger.attempts = ['lost_after', 'refused', 'lost_before', 'refused'];
  await record(sample, makeBallot(poll, 1));
  expect(sample.recorder.awayMs()).toBeGreaterThan(0);
  await expect.poll(() => sample.recorder.awayMs(), { interval: 1 }).toBe(0);
  expect([sample.votesOf(), sample.ledger.attempts]).toEqual([1, []]);
  expect(await record(sample, makeBallot(poll, 2))).toMatchObject({ kind: 'counted', version: 2 });
});

test('ballots that wait while the ledger is away get their answer when they have waited long enough', async () => {
  const sample = createSample({ recoveryMsMax: 10 });
  sample.ledger.attempts = Array<Attempt>(10_000).fill('refused');
  await record(sample, makeBallot(poll, 1));
  expect(await record(sample, makeBallot(poll, 2))).toMatchObject({ kind: 'failed', recorded: 'no' });
  sample.recorder.stop();
});

test('when the board cannot be read the receipts are given all the same, and the board follows', async () => {
  const sample = createSample();
  sample.ledger.attempts = ['lost_after'];
  sample.ledger.readingsToFail = 3;
  expect(await record(sample, makeBallot(poll, 1))).toMatchObject({ kind: 'stands' });
  await expect.poll(() => sample.votesOf(), { interval: 1 }).toBe(1);
  expect(await record(sample, makeBallot(poll, 2))).toMatchObject({ kind: 'counted', version: 2 });
  expect([sample.votesOf(), sample.recorder.awayMs(), sample.ledger.readingsToFail]).toEqual([2, 0, 0]);
});

test('a caller that fails keeps nobody else from an answer', async () => {
  const sample = createSample();
  sample.recorder.record(makeBallot(poll, 1), () => {
    throw new Error('the caller fails');
  });
  expect(await record(sample, makeBallot(poll, 2))).toMatchObject({ kind: 'counted' });
  expect(await record(sample, makeBallot(poll, 3))).toMatchObject({ kind: 'counted' });
});

test('stopped, it no longer looks out for a ledger that is away, and still answers', async () => {
  const sample = createSample({ recoveryMsMax: 0 });
  sample.ledger.attempts = Array<Attempt>(10_000).fill('refused');
  await record(sample, makeBallot(poll, 1));
  sample.recorder.stop();
  expect(await record(sample, makeBallot(poll, 2))).toMatchObject({ kind: 'failed', recorded: 'no' });
  const batchCount = sample.ledger.batches.length;
  expect(await record(sample, makeBallot(poll, 3))).toMatchObject({ kind: 'failed', recorded: 'no' });
  expect(sample.ledger.batches.slice(batchCount).map(({ length }) => length)).toEqual([1]);
});

test('everything is settled through now, or through the begin of the oldest batch under way', async () => {
  const sample = createSample();
  expect(sample.recorder.settledThrough()).toBe(start);
  const [lane] = sample.lanes;
  if (lane === undefined) throw new Error('there is a lane');
  const recording = Promise.withResolvers<BatchRecorded>();
  vi.spyOn(lane, 'record').mockReturnValueOnce(recording.promise);
  const settling = record(sample, makeBallot(poll, 1));
  await expect.poll(() => lane.record, { interval: 1 }).toHaveBeenCalledOnce();
  sample.clock.now = start + 50;
  expect(sample.recorder.settledThrough()).toBe(start);
  recording.resolve({ castAt: start, slot: 1, batchNo: 1, verdicts: new Map() });
  await settling;
  await expect.poll(() => sample.recorder.settledThrough(), { interval: 1 }).toBe(start + 50);
});

const attempts = fc.array(
  fc.constantFrom<Attempt>('recorded', 'recorded', 'recorded', 'refused', 'lost_before', 'lost_after'),
  { maxLength: 12 },
);
const casts = fc.array(
  fc.record({
    changeable: fc.boolean(),
    voterNo: fc.integer({ min: 1, max: 6 }),
    retryNo: fc.option(fc.integer({ min: 1, max: 4 })),
    optionNo: fc.integer({ min: 1, max: 3 }),
    pause: fc.boolean(),
  }),
  { minLength: 1, maxLength: 40 },
);
const settings = fc.record({
  laneCount: fc.integer({ min: 1, max: 3 }),
  batchBallotsMax: fc.integer({ min: 1, max: 5 }),
  recoveryMsMax: fc.constantFrom(0, 10_000),
  readingsToFail: fc.nat({ max: 3 }),
});

test('however the lanes fail each ballot is settled once, its answer is true, and the board ends where the ledger is', async () => {
  await fc.assert(
    fc.asyncProperty(attempts, casts, settings, async (failing, casting, { laneCount, readingsToFail, ...options }) => {
      const sample = createSample(options, laneCount);
      sample.ledger.attempts = [...failing];
      sample.ledger.readingsToFail = readingsToFail;
      const settled: { ballot: Ballot; outcomes: Outcome[] }[] = [];
      for (const [index, { changeable, voterNo, retryNo, optionNo, pause }] of casting.entries()) {
        const ballot = makeBallot(changeable ? changeablePoll : poll, index + 1, {
          voterKey: toKey(voterNo),
          retryKey: retryNo === null ? null : toKey(retryNo),
          selections: [optionNo],
        });
        const outcomes: Outcome[] = [];
        settled.push({ ballot, outcomes });
        sample.recorder.record(ballot, (outcome) => outcomes.push(outcome));
        if (pause) await new Promise((resolve) => setImmediate(resolve));
      }
      const ended = (): void => {
        expect(settled.every(({ outcomes }) => outcomes.length > 0)).toBe(true);
        expect(sample.recorder.awayMs()).toBe(0);
        // A lane that gave up a batch brings the board up to the ledger after the ballots have their answers.
        expectSameAsLedger(sample);
      };
      await vi.waitFor(ended, { interval: 1, timeout: endMsMax });
      for (const { ballot, outcomes } of settled) expectTrue(sample, ballot, outcomes);
    }),
    { numRuns: 60 },
  );
});

function expectTrue({ ledger }: Sample, ballot: Ballot, outcomes: readonly Outcome[]): void {
  expect(outcomes).toHaveLength(1);
  const [outcome] = outcomes;
  const rows = [...ledger.history.values(), ...ledger.counted.values()];
  const isThere = rows.some((row) => row.ballot.id.equals(ballot.id));
  if (outcome?.kind === 'counted') expect(isThere).toBe(true);
  if (outcome?.kind === 'failed' && outcome.recorded === 'no') expect(isThere).toBe(false);
  if (outcome?.kind !== 'stands') return;
  const { ballotId } = outcome.standing;
  expect(isThere).toBe(ballotId === toUuidText(ballot.id));
  expect(rows.some((row) => toUuidText(row.ballot.id) === ballotId)).toBe(true);
}

function expectSameAsLedger({ ledger, board, clock }: Sample): void {
  for (const { pollNo } of [poll, changeablePoll]) {
    const tally = board.read(pollNo, clock.now);
    const counted = [...ledger.counted.values()].filter(({ ballot }) => ballot.poll.pollNo === pollNo);
    expect([tally.ballots, tally.lastTenMinutes]).toEqual([counted.length, counted.length]);
    for (const optionNo of [1, 2, 3]) {
      expect(tally.votesOf(optionNo)).toBe(counted.filter(({ ballot }) => ballot.selections[0] === optionNo).length);
    }
  }
}

test('one ballot that cannot be recorded fails alone, wherever it stands in the batch, and at once', async () => {
  for (const badNo of [1, 4, 7, 10]) {
    const sample = createSample();
    const ballots = ballotsOf(10);
    sample.ledger.unrecordable.add(toUuidText(toKey(badNo)));
    const outcomes = await recordAll(sample, ballots);
    expect(outcomes.flatMap(({ kind }, index) => (kind === 'failed' ? [index + 1] : []))).toEqual([badNo]);
    expect(outcomes[badNo - 1]).toMatchObject({ code: 'internal', recorded: 'no' });
    expect([sample.ledger.counted.size, sample.votesOf(), sample.recorder.awayMs()]).toEqual([9, 9, 0]);
  }
});
