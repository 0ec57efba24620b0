/** Ballots as voters cast them, and the segments that an intake makes of them. */
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createBallotIds } from '../../server/identity/ballot-ids.ts';
import { createFakeSegmentLog } from '../../server/ingest-log/test-support.ts';
import type { Ballot } from '../../server/poll/ballot.ts';
import type { Poll } from '../../server/poll/poll.ts';
import type { Recording } from './recording.ts';

const ballotsPerSegment = 8;
/** Between two acceptances. */
const castUs = 20_000;
/** Of each voter who is there already: another ballot, or the same again. */
const secondBallotShare = 0.2;
const retryShare = 0.2;
/** Those draw from so many of the latest ballots. */
const recentMax = 100;

/** A ballot before the ledger that it is for is known. */
export type Cast = {
  readonly pollIndex: number;
  readonly voter: string;
  readonly key: string;
  readonly option: number;
};

/** New voters, voters who cast another ballot, and ballots that are sent again. */
export function drawCasts(castCount: number, random: () => number): Cast[] {
  const casts: Cast[] = [];
  for (let no = 0; no < castCount; no += 1) {
    const roll = random();
    const earlier =
      roll < retryShare + secondBallotShare ? casts.at(-1 - Math.floor(random() * Math.min(no, recentMax))) : undefined;
    const option = 1 + Math.floor(random() * 3);
    if (earlier === undefined) {
      casts.push({ pollIndex: Math.floor(random() * 3), voter: `voter ${no}`, key: `key ${no}`, option });
    } else {
      casts.push(roll < retryShare ? earlier : { ...earlier, key: `key ${no}`, option });
    }
  }
  return casts;
}

async function createPolls({ ledger }: Recording): Promise<Poll[]> {
  return [
    await ledger.createPoll(),
    await ledger.createPoll({ revote: 'replace' }),
    await ledger.createPoll({ electorate: 'open' }),
  ];
}

const toKey = (text: string): Buffer => createHash('sha256').update(text).digest().subarray(0, 16);

/** What a process that accepts these ballots appends to its log. */
export async function toSegments(recording: Recording, casts: readonly Cast[], startUs: number): Promise<Buffer[]> {
  const log = createFakeSegmentLog({ confirms: true });
  const intake = recording.createIntake(log);
  const polls = await createPolls(recording);
  const ids = createBallotIds(Buffer.alloc(32, 7));
  for (const [index, { pollIndex, voter, key, option }] of casts.entries()) {
    const poll = polls[pollIndex];
    if (poll === undefined) throw new Error('There is no such poll.');
    const isOpen = poll.electorate === 'open';
    const voterKey = toKey(isOpen ? key : voter);
    const retryKey = isOpen ? null : toKey(key);
    const ballot: Ballot = {
      poll,
      // The same in every ledger, as is the rest.
      id: ids.ofRetry(`poll ${pollIndex}`, voterKey, retryKey ?? voterKey),
      acceptedUs: startUs + index * castUs,
      voterKey,
      retryKey,
      selections: [option],
    };
    intake.append(ballot, () => undefined);
    if (index % ballotsPerSegment === ballotsPerSegment - 1) await nextTurn();
  }
  await intake.drain();
  return log.appended;
}
