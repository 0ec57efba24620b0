import { expect, test } from 'vitest';
import type { Outcome, Recorder } from '../ingest-log/ingest-log.ts';
import { encodeSegment, type BallotForSegment } from '../ingest-log/segment.ts';
import { createFakeSegmentLog } from '../ingest-log/test-support.ts';
import type { BallotRefusal, SegmentMark } from '../ledger/log-progress.ts';
import { createInsist } from '../lib/insist.ts';
import { toUuidText } from '../lib/uuid-v7.ts';
import type { Ballot } from '../poll/ballot.ts';
import type { Poll } from '../poll/poll.ts';
import { makeBallot, makePoll } from '../poll/test-support.ts';
import { createFollowers } from './followers.ts';
import { createSegmentRecording } from './segment-recording.ts';
import { silentLog } from './test-support.ts';
import { createWorker } from './worker.ts';

const acceptedAt = 1_700_000_000_000;
const ledger = Buffer.alloc(8, 1);
const nodeId = Buffer.alloc(16, 2);
const poll = makePoll();
type BallotInSegment = Ballot & BallotForSegment;
const counted: Outcome = { kind: 'counted', castAt: acceptedAt, version: 1 };

/** A worker before a recorder that answers as the test says, on a log that the test fills. */
async function createSample(outcomeOf: (ballot: Ballot) => Outcome = () => counted, polls: readonly Poll[] = [poll]) {
  const segments = createFakeSegmentLog();
  const recorded: Ballot[] = [];
  const refusals: BallotRefusal[] = [];
  const marks: SegmentMark[] = [];
  const failures = { settle: 0 };
  const decided = new Set<string>();
  const insist = createInsist(silentLog);
  const recorder: Pick<Recorder, 'record'> = {
    record(ballot, settle) {
      recorded.push(ballot);
      setImmediate(() => settle(outcomeOf(ballot)));
    },
  };
  const find = (pollNo: number): Poll | undefined => polls.find((each) => each.pollNo === pollNo);
  const worker = createWorker({
    segments,
    recordBallots: createSegmentRecording({
      recorder,
      readPoll: (pollNo) => Promise.resolve(find(pollNo) ?? null),
      peekPoll: find,
      followers: createFollowers({
        findDecided: (ballotIds) => Promise.resolve(ballotIds.filter((ballotId) => decided.has(ballotId))),
        segmentsMax: 10,
      }),
      insist,
    }),
    insist,
    progress: {
      settle(more, marked) {
        if (failures.settle > 0) {
          failures.settle -= 1;
          return Promise.reject(new Error('The ledger is away.'));
        }
        refusals.push(...more);
        marks.push(...marked);
        return Promise.resolve();
      },
    },
    ledger,
    log: silentLog,
  });
  await worker.start();
  return { worker, segments, recorded, refusals, marks, failures, decided };
}

const accept = (no: number, change: Partial<Ballot> = {}): BallotInSegment => ({
  ...makeBallot(poll, no, { acceptedUs: acceptedAt * 1_000 + no, ...change }),
  follows: null,
});
const toSegment = (segmentNo: number, ballots: readonly BallotForSegment[]): Buffer =>
  encodeSegment({ ledger, nodeId, segmentNo }, ballots);

test('a segment is acknowledged when its ballots are recorded and it is marked', async () => {
  const { segments, recorded, marks, refusals, failures } = await createSample();
  failures.settle = 1;
  const acknowledged = segments.deliver(toSegment(5, [accept(1), accept(2)]));
  await expect.poll(() => recorded).toHaveLength(2);
  expect(acknowledged()).toBe(0);
  await expect.poll(() => acknowledged()).toBe(1);
  expect(recorded).toMatchObject([1, 2].map((no) => makeBallot(poll, no, { acceptedUs: acceptedAt * 1_000 + no })));
  expect(marks).toMatchObject([{ nodeId, segmentNo: 5 }]);
  expect(refusals).toEqual([]);
});

test('ballots that do not count are kept with the reason, and one that comes again is not among them', async () => {
  const closed = makePoll({ pollNo: 2, closesAt: acceptedAt });
  const draft = makePoll({ pollNo: 3, opensAt: acceptedAt + 1 });
  const stands = (ballotId: string, selections = '1'): Outcome => ({
    kind: 'stands',
    standing: { ballotId, castAt: acceptedAt, version: 1 },
    retryKey: null,
    selections,
  });
  const own = (no: number): string => toUuidText(accept(no).id);
  const outcomes = new Map<string, Outcome>([
    [own(1), stands(own(1))],
    [own(2), stands(own(9))],
    [own(3), stands(own(3), '2')],
    [own(4), { kind: 'not_taken' }],
    [own(5), { kind: 'not_taken' }],
    [own(6), { kind: 'not_taken' }],
  ]);
  const sample = await createSample((ballot) => outcomes.get(toUuidText(ballot.id)) ?? counted, [poll, closed, draft]);
  const ballots = [
    ...[1, 2, 3].map((no) => accept(no)),
    accept(4, { poll: closed }),
    accept(5, { poll: draft }),
    accept(6, { poll: { ...poll, ballotForm: 9 } }),
    accept(7, { poll: makePoll({ pollNo: 99 }) }),
    accept(8),
  ];
  const acknowledged = sample.segments.deliver(toSegment(1, ballots));
  await expect.poll(() => acknowledged()).toBe(1);
  const kept = sample.refusals
    .map(({ ballotId, reason }) => [toUuidText(ballotId), reason])
    .sort((a, b) => String(a).localeCompare(String(b)));
  expect(kept).toEqual([
    [own(2), 'ballot_already_cast'],
    [own(3), 'idempotency_key_reused'],
    [own(4), 'poll_closed'],
    [own(5), 'poll_not_open'],
    [own(6), 'ballot_invalid'],
    [own(7), 'poll_not_found'],
  ]);
  expect(sample.recorded.find(({ id }) => toUuidText(id) === own(6))?.poll.ballotForm).toBe(9);
});

test('bytes that are no segment of this ledger go to the dead letters as they are, and neighbours are not held up', async () => {
  const { segments, recorded } = await createSample();
  segments.burialsToFail = 1;
  const others = encodeSegment({ ledger: Buffer.alloc(8, 9), nodeId, segmentNo: 1 }, [accept(1)]);
  const acknowledged = [segments.deliver(Buffer.from('rubbish')), segments.deliver(others)];
  const neighbour = segments.deliver(toSegment(2, [accept(2)]));
  await expect.poll(() => neighbour()).toBe(1);
  await expect.poll(() => acknowledged.map((count) => count())).toEqual([1, 1]);
  expect(recorded).toHaveLength(1);
  expect(new Set(segments.buried.map(({ bytes, reason }) => `${bytes.toString('base64')} ${reason}`))).toEqual(
    new Set([
      `${Buffer.from('rubbish').toString('base64')} no segment`,
      `${others.toString('base64')} it belongs to another ledger`,
    ]),
  );
});

test('a ballot that cannot be recorded is tried five times, then it is a dead letter, and the others count', async () => {
  const tries = new Map<string, number>();
  const sample = await createSample((ballot) => {
    const id = toUuidText(ballot.id);
    tries.set(id, (tries.get(id) ?? 0) + 1);
    return id === toUuidText(accept(2).id) ? { kind: 'failed', code: 'internal', recorded: 'no' } : counted;
  });
  const acknowledged = sample.segments.deliver(toSegment(7, [accept(1), accept(2), accept(3)]));
  await expect.poll(() => acknowledged()).toBe(1);
  expect([1, 2, 3].map((no) => tries.get(toUuidText(accept(no).id)))).toEqual([1, 5, 1]);
  expect(sample.segments.buried).toEqual([
    { bytes: toSegment(7, [accept(2)]), reason: '1 ballots cannot be recorded' },
  ]);
  expect(sample.refusals).toMatchObject([{ ballotId: accept(2).id, reason: 'internal' }]);
});

test('while the ledger is away a segment waits, and a stop ends all the same', async () => {
  let away = true;
  const { segments, worker } = await createSample(() =>
    away ? { kind: 'failed', code: 'ledger_unavailable', recorded: 'unknown' } : counted,
  );
  const acknowledged = segments.deliver(toSegment(1, [accept(1)]));
  await expect.poll(() => worker.inHandCount()).toBe(1);
  expect(worker.holds(accept(1).id)).toBe(true);
  expect(worker.holds(accept(2).id)).toBe(false);
  const stopped = worker.stop();
  away = false;
  await stopped;
  expect(acknowledged()).toBe(1);
  expect(worker.inHandCount()).toBe(0);
});

test('a ballot waits for the earlier one of its voter, wherever that is recorded', async () => {
  const { segments, recorded, decided } = await createSample();
  const later = segments.deliver(toSegment(2, [{ ...accept(2), follows: accept(1).id }, accept(3)]));
  await expect.poll(() => recorded).toMatchObject([{ id: accept(3).id }]);
  decided.add(toUuidText(accept(1).id));
  await expect.poll(() => later()).toBe(1);
  expect(recorded).toMatchObject([{ id: accept(3).id }, { id: accept(2).id }]);
});
