/** A migrated ledger in a database of its own, and what writes to it, without a server around. */
import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { onTestFinished } from 'vitest';
import { createBallotLane, type BallotLane, type BallotToRecord } from '../../server/ledger/ballot-lane.ts';
import { migrate } from '../../server/ledger/migrate.ts';
import { createPollStore, type NewPoll, type PollStore } from '../../server/ledger/polls.ts';
import { createPool, type Connection, type Pool } from '../../server/ledger/postgres.ts';
import { createUuidV7Source } from '../../server/lib/uuid-v7.ts';
import type { Ballot } from '../../server/poll/ballot.ts';
import type { Poll } from '../../server/poll/poll.ts';
import { createDatabase } from './server.ts';

export type TestLedger = {
  readonly url: string;
  readonly pool: Pool;
  readonly store: PollStore;
  /** Closed when the test has finished. */
  createLane(connection?: Connection): BallotLane;
  /** An open poll of declared voters with three options. */
  createPoll(change?: Partial<NewPoll>): Promise<Poll>;
  rows<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
};

const statementTimeoutMs = 10_000;

export async function openTestLedger(): Promise<TestLedger> {
  const url = await createDatabase();
  const pool = createPool({ connectionString: url }, { connectionsMax: 4, statementTimeoutMs }, ignoreLostConnection);
  await migrate(pool, { lockTimeoutMs: 10_000, log: pino({ level: 'silent' }) });
  const store = createPollStore(pool);
  const lanes: BallotLane[] = [];
  onTestFinished(async () => {
    await Promise.all(lanes.map((lane) => lane.close()));
    await pool.end();
  });
  return {
    url,
    pool,
    store,
    createLane(connection = { connectionString: url }) {
      const lane = createBallotLane(connection, statementTimeoutMs);
      lanes.push(lane);
      return lane;
    },
    async createPoll(change = {}) {
      const poll = await store.insert({ ...toNewPoll(), ...change });
      if (typeof poll === 'string') throw new Error(poll);
      return poll;
    },
    async rows<Row extends object>(text: string, values: unknown[] = []) {
      return (await pool.query<Row>(text, values)).rows;
    },
  };
}

function toNewPoll(): NewPoll {
  const name = randomBytes(8).toString('hex');
  return {
    id: makeTestId(),
    slug: name,
    joinCode: name,
    manageKeyHash: Buffer.alloc(32),
    question: 'Tea or coffee?',
    description: null,
    electorate: 'declared',
    electorateSize: null,
    revote: 'refuse',
    visibility: 'always',
    selectionsMin: 0,
    selectionsMax: 3,
    listed: true,
    layout: 'ballot',
    color: null,
    embedParents: [],
    options: ['1', '2', '3'].map((id) => ({ id, text: `Option ${id}`, description: null })),
    opensAt: Date.now() - 60_000,
    closesAt: null,
  };
}

/** Ids in the order in which they are made, as the intake makes them. */
export const makeTestId = createUuidV7Source(Date.now);

/** A ballot of a voter of its own, unless the change says otherwise. */
export function toBallot(poll: Poll, change: Partial<Ballot> = {}): BallotToRecord {
  const voterKey = randomBytes(16);
  const ballot = { poll, id: makeTestId(), acceptedUs: null, voterKey, retryKey: null, selections: [1], ...change };
  return { ballot, version: 1 };
}

/** As the recorder sorts a batch. */
export function toBatch(ballots: readonly BallotToRecord[]): BallotToRecord[] {
  return ballots.toSorted(
    ({ ballot: a }, { ballot: b }) =>
      a.poll.pollNo - b.poll.pollNo || Buffer.compare(a.voterKey, b.voterKey) || Buffer.compare(a.id, b.id),
  );
}

function ignoreLostConnection(): void {
  // Some tests cut connections on purpose.
}
