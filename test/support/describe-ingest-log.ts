/** What every ingest log keeps of its port, `server/ingest-log/ingest-log.ts`: the direct one and those over brokers, each on the real thing. */
import { describe, expect, onTestFinished, test } from 'vitest';
import type { IngestLog, Outcome, Recorder } from '../../server/ingest-log/ingest-log.ts';
import { toUuidText } from '../../server/lib/uuid-v7.ts';
import type { Ballot } from '../../server/poll/ballot.ts';
import { makeBallot, makePoll } from '../../server/poll/test-support.ts';

/** A log with whatever brings its ballots to the recorder. */
export type OpenedLog = {
  readonly log: IngestLog;
  /** Begins to hand ballots to the recorder. The direct log does so from the start. */
  startRecording(): Promise<void>;
  /** What is in hand is finished, and comes to nobody again. */
  stop(): Promise<void>;
};

export type OpenLogOptions = { readonly recorder: Recorder; readonly ballotsWaitingMax: number };

const poll = makePoll();
const wait = { timeout: 30_000, interval: 10 };

/** `open` gives a log that nobody used before; called again with the same name, another process's access to the same log. */
export function describeIngestLog(
  name: IngestLog['name'],
  open: (queueName: string, options: OpenLogOptions) => Promise<OpenedLog>,
): void {
  let queueCount = 0;

  async function openSample({
    ballotsWaitingMax = 10_000,
    queueName = `log_${process.pid}_${(queueCount += 1)}`,
  } = {}) {
    const recorder = createTestRecorder();
    const opened = await open(queueName, { recorder, ballotsWaitingMax });
    onTestFinished(opened.stop);
    return { ...opened, recorder, queueName };
  }

  describe(`the ingest log ${name}`, () => {
    test('every ballot is settled once, and comes to the recorder as it was', async () => {
      const { log, recorder, startRecording } = await openSample();
      await startRecording();
      const ballots = Array.from({ length: 500 }, (_, index) => accept(index + 1));
      const outcomes = await appendAll(log, ballots);
      const kind = log.acknowledges === 'outcome' ? 'counted' : 'accepted';
      expect(new Set(outcomes.map((outcome) => outcome.kind))).toEqual(new Set([kind]));
      await expect.poll(() => recorder.ids().size, wait).toBe(ballots.length);
      const came = new Map(recorder.ballots.map((ballot) => [toUuidText(ballot.id), ballot]));
      for (const ballot of ballots) expect(came.get(toUuidText(ballot.id))).toMatchObject(withoutPoll(ballot));
    });

    test('a ballot is never settled before append has returned', async () => {
      const { log, startRecording } = await openSample({ ballotsWaitingMax: 1 });
      await startRecording();
      const settled: string[] = [];
      log.append(accept(1), () => settled.push('first'));
      log.append(accept(2), () => settled.push('refused'));
      expect(settled).toEqual([]);
      await expect.poll(() => settled.length, wait).toBe(2);
    });

    test('beyond its limit it refuses at once, and takes more as soon as others are settled', async () => {
      const { log, recorder, startRecording } = await openSample({ ballotsWaitingMax: 5 });
      await startRecording();
      const ballots = Array.from({ length: 20 }, (_, index) => accept(index + 1));
      const outcomes = await appendAll(log, ballots);
      const refused = outcomes.filter((outcome) => outcome.kind === 'failed');
      expect(refused).toHaveLength(15);
      expect(refused).toMatchObject(Array(15).fill({ code: 'ingest_log_full', recorded: 'no' }));
      const [later] = await appendAll(log, [accept(30)]);
      expect(later?.kind).not.toBe('failed');
      await expect.poll(() => recorder.ids().size, wait).toBe(6);
      expect(log.waitingCount()).toBe(0);
    });

    test('after drain nothing is taken, and everything that was taken is settled', async () => {
      const { log, startRecording } = await openSample();
      await startRecording();
      const settled = appendAll(log, [accept(1), accept(2)]);
      const drained = log.drain();
      const [late] = await appendAll(log, [accept(3)]);
      expect(late).toMatchObject({ kind: 'failed', code: 'shutting_down', recorded: 'no' });
      await drained;
      expect((await settled).map(({ kind }) => kind)).not.toContain('failed');
    });

    test('what was acknowledged before anybody recorded is there after a restart, where the log says so', async () => {
      const first = await openSample();
      expect(first.log.survivesRestart).toBe(first.log.acknowledges === 'acceptance');
      if (!first.log.survivesRestart) return;
      await appendAll(first.log, [accept(1), accept(2), accept(3)]);
      await first.stop();
      expect(first.recorder.ballots).toEqual([]);
      const second = await openSample({ queueName: first.queueName });
      await second.startRecording();
      await expect.poll(() => second.recorder.ids().size, wait).toBe(3);
      await second.stop();
      const third = await openSample({ queueName: first.queueName });
      await third.startRecording();
      await appendAll(third.log, [accept(4)]);
      await expect.poll(() => third.recorder.ids().size, wait).toBe(1);
      expect(third.recorder.ids()).toEqual(new Set([toUuidText(accept(4).id)]));
    });
  });
}

function accept(no: number): Ballot {
  const retryKey = no % 2 === 0 ? null : Buffer.alloc(16, no);
  // The first of a second is the last of none: every ballot is accepted in a moment of its own.
  const acceptedUs = (1_700_000_000_000 + no) * 1_000;
  return makeBallot(poll, no, { acceptedUs, retryKey, selections: [(no % 3) + 1] });
}

function withoutPoll({ poll: { pollNo }, ...ballot }: Ballot): object {
  return { ...ballot, poll: { pollNo } };
}

function appendAll(log: IngestLog, ballots: readonly Ballot[]): Promise<Outcome[]> {
  return Promise.all(ballots.map((ballot) => new Promise<Outcome>((resolve) => log.append(ballot, resolve))));
}

/** Counts whatever comes, a turn of the event loop later. */
function createTestRecorder(): Recorder & { readonly ballots: Ballot[]; ids(): Set<string> } {
  const ballots: Ballot[] = [];
  return {
    ballots,
    ids: () => new Set(ballots.map(({ id }) => toUuidText(id))),
    record(ballot, settle) {
      ballots.push(ballot);
      setImmediate(() => settle({ kind: 'counted', castAt: 0, version: 1 }));
    },
    awayMs: () => 0,
    settledThrough: () => Number.POSITIVE_INFINITY,
    stop: () => undefined,
  };
}

/** The poll that the ballots of the suite are for. */
export const ingestLogPoll = poll;
