/** Brings the ballots of one segment to the recorder, and says what is to be kept of those that do not count. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ErrorCode } from '../errors.ts';
import type { Outcome, Recorder } from '../ingest-log/ingest-log.ts';
import type { SegmentBallot } from '../ingest-log/segment.ts';
import type { BallotRefusal } from '../ledger/log-progress.ts';
import type { Insist } from '../lib/insist.ts';
import { toUuidText } from '../lib/uuid-v7.ts';
import { toSelectionsText, type Ballot } from '../poll/ballot.ts';
import type { Poll } from '../poll/poll.ts';
import { pollStatusAt } from '../poll/schedule.ts';
import type { Followers } from './followers.ts';
import type { BallotMeter } from './meters.ts';

export type SegmentRecordingParts = {
  readonly recorder: Pick<Recorder, 'record'>;
  /** The poll as it stands in the ledger; null where there is none. What is at hand may be older than the ballot. */
  readonly readPoll: (pollNo: number) => Promise<Poll | null>;
  /** The poll at hand. */
  readonly peekPoll: (pollNo: number) => Poll | undefined;
  readonly followers: Followers;
  readonly insist: Insist;
  readonly meter?: BallotMeter;
};

export type RecordedSegment = {
  readonly refusals: readonly BallotRefusal[];
  /** Ballots that cannot be recorded for a reason of their own. */
  readonly dead: readonly SegmentBallot[];
};

type Failure = Extract<Outcome, { kind: 'failed' }>;

export type SegmentRecording = (ballots: readonly SegmentBallot[]) => Promise<RecordedSegment>;

/** How often a ballot that cannot be recorded is tried. */
const triesMax = 5;
const retryMs = 200;

export function createSegmentRecording(parts: SegmentRecordingParts): SegmentRecording {
  const { recorder, peekPoll, followers, insist, meter } = parts;
  const readPoll = (pollNo: number): Promise<Poll | null> => insist('reading a poll', () => parts.readPoll(pollNo));

  /** The way of a ballot that waits for something, or that failed. `failed` only where the ballot itself is to blame. */
  async function recordPatiently(read: SegmentBallot, segment: object, failed: Failure | null): Promise<Outcome> {
    // Where ballots do not replace each other the first one counts, so a later one waits until that is decided.
    if (failed === null && read.follows !== null) await followers.awaitDecision(read.follows, segment);
    const poll = peekPoll(read.pollNo) ?? (await readPoll(read.pollNo));
    if (poll === null) return { kind: 'not_taken' };
    const ballot = toBallot(read, poll);
    let outcome: Outcome = failed ?? (await new Promise((resolve) => recorder.record(ballot, resolve)));
    for (let tries = 1; outcome.kind === 'failed' && tries < triesMax;) {
      await sleep(retryMs, undefined, { ref: false });
      outcome = await new Promise((resolve) => recorder.record(ballot, resolve));
      // A ledger that is away is no fault of the ballot, however long that takes.
      if (outcome.kind === 'failed' && outcome.code === 'internal') tries += 1;
    }
    return outcome;
  }

  /** `done` is called once, with the final outcome, whatever time it takes the ledger. Nearly every ballot gets there without a promise. */
  function record(read: SegmentBallot, segment: object, done: (outcome: Outcome) => void): void {
    const patiently = async (failed: Failure | null): Promise<void> =>
      done(await recordPatiently(read, segment, failed));
    const poll = peekPoll(read.pollNo);
    if (poll === undefined || read.follows !== null) {
      void patiently(null);
      return;
    }
    recorder.record(toBallot(read, poll), (outcome) => {
      if (outcome.kind === 'failed') void patiently(outcome);
      else done(outcome);
    });
  }

  function recordAll(ballots: readonly SegmentBallot[]): Promise<Map<number, Outcome>> {
    return new Promise((resolve) => {
      const exceptions = new Map<number, Outcome>();
      let openCount = ballots.length;
      if (openCount === 0) resolve(exceptions);
      for (const [index, ballot] of ballots.entries()) {
        record(ballot, ballots, (outcome) => {
          if (outcome.kind !== 'counted') exceptions.set(index, outcome);
          openCount -= 1;
          if (openCount === 0) resolve(exceptions);
        });
      }
    });
  }

  return async (ballots) => {
    const exceptions = await recordAll(ballots);
    // Each poll is read once, however many of its ballots are late.
    const polls = new Map<number, Promise<Poll | null>>();
    const pollOf = (pollNo: number): Promise<Poll | null> => {
      const read = polls.get(pollNo) ?? readPoll(pollNo);
      polls.set(pollNo, read);
      return read;
    };
    const refusals: BallotRefusal[] = [];
    const dead: SegmentBallot[] = [];
    for (const [index, outcome] of exceptions) {
      const ballot = ballots[index];
      if (ballot === undefined) continue;
      if (outcome.kind === 'failed') dead.push(ballot);
      const reason = await reasonOf(ballot, outcome, pollOf);
      if (reason === null) meter?.noteRepeated();
      else {
        meter?.noteRefused(reason);
        refusals.push(toRefusal(ballot, reason));
      }
    }
    meter?.noteCounted(ballots.length - exceptions.size);
    return { refusals, dead };
  };
}

/** With the form that the ballot was checked against: where the poll has another one by now, the ledger refuses it. */
function toBallot({ ballotForm, id, acceptedUs, voterKey, retryKey, selections }: SegmentBallot, poll: Poll): Ballot {
  const formed = poll.ballotForm === ballotForm ? poll : { ...poll, ballotForm };
  return { poll: formed, id, acceptedUs, voterKey, retryKey, selections };
}

function toRefusal({ id, pollNo, selections, acceptedUs }: SegmentBallot, reason: ErrorCode): BallotRefusal {
  return { ballotId: id, pollNo, reason, selections, acceptedAt: Math.floor(acceptedUs / 1_000) };
}

/** Why a ballot does not count; null where it does. */
async function reasonOf(
  ballot: SegmentBallot,
  outcome: Outcome,
  pollOf: (pollNo: number) => Promise<Poll | null>,
): Promise<ErrorCode | null> {
  if (outcome.kind === 'failed') return 'internal';
  if (outcome.kind === 'stands') return reasonOfStanding(ballot, outcome);
  return outcome.kind === 'not_taken' ? reasonOfRefusal(await pollOf(ballot.pollNo), ballot) : null;
}

/** A ballot that a log delivered again stands by itself: that is no refusal. */
function reasonOfStanding(read: SegmentBallot, outcome: Extract<Outcome, { kind: 'stands' }>): ErrorCode | null {
  const isSame = outcome.standing.ballotId === toUuidText(read.id);
  if (isSame) return outcome.selections === toSelectionsText(read.selections) ? null : 'idempotency_key_reused';
  return 'ballot_already_cast';
}

function reasonOfRefusal(poll: Poll | null, { acceptedUs, ballotForm }: SegmentBallot): ErrorCode {
  if (poll === null) return 'poll_not_found';
  const status = pollStatusAt(poll, Math.floor(acceptedUs / 1_000));
  if (status === 'closed') return 'poll_closed';
  return poll.ballotForm === ballotForm ? 'poll_not_open' : 'ballot_invalid';
}
