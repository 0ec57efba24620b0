/** Ledger rows with a verdict per vote beside binary COPY of the same rows (V3), and one hot poll beside many (V6). */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { createBallotLane, type BallotLane, type BallotToRecord } from '../server/ledger/ballot-lane.ts';
import type { Connection } from '../server/ledger/postgres.ts';
import { createUuidV7Source } from '../server/lib/uuid-v7.ts';
import type { Poll } from '../server/poll/poll.ts';
import type { Question } from './question.ts';
import { measurePairs, type Slice } from './pairs.ts';
import { startServer } from './programs.ts';

const manyPolls = 10_000;
const batchBallots = 4_000;
const ballotsPerLane = 60_000;

export const recorder: Question = async ({ pairs }) => {
  const dataFolder = await mkdtemp(path.join(tmpdir(), 'hustings-bench-'));
  // The server makes the database and its tables; killed, it leaves them to this process alone.
  const server = await startServer(dataFolder);
  await server.stop('SIGKILL');
  const connection: Connection = {
    host: path.join(dataFolder, 'postgres'),
    port: 5432,
    user: 'hustings',
    database: 'hustings',
  };
  const admin = new pg.Client(connection);
  await admin.connect();
  try {
    const polls = await makePolls(admin);
    const hot = polls.slice(0, 1);
    const recordOn = (some: readonly Poll[], laneCount: number) => record(admin, connection, some, laneCount);
    const plan = (laneCount: number) => ({
      question: 'V3',
      what: `ledger rows/s with a verdict each ÷ COPY, ${laneCount === 1 ? '1 connection' : `${laneCount} connections`}`,
      target: 0.9,
      pairs,
      a: () => recordOn(hot, laneCount),
      b: () => copy(admin, connection, hot, laneCount),
    });
    return [
      await measurePairs(plan(1)),
      await measurePairs(plan(3)),
      await measurePairs({
        question: 'V6',
        what: `votes on one hot poll ÷ on ${manyPolls} polls, 2 lanes`,
        target: 0.95,
        pairs,
        a: () => recordOn(hot, 2),
        b: () => recordOn(polls, 2),
      }),
    ];
  } finally {
    await admin.end();
    await (await startServer(dataFolder)).stop();
    await rm(dataFolder, { recursive: true, force: true });
  }
};

async function makePolls(admin: pg.Client): Promise<Poll[]> {
  const { rows } = await admin.query<{ poll_no: number }>(
    `insert into polls (id, slug, join_code, question, electorate, revote, visibility, selections_min, selections_max, listed, opens_at, manage_key_hash)
    select gen_random_uuid(), 'bench-' || n, 'bench-' || n, 'Bench?', 'declared', 'refuse', 'always', 1, 1, true, clock_timestamp() - interval '1 minute', '\\x00'
    from generate_series(1, $1) as n
    returning poll_no`,
    [manyPolls],
  );
  await admin.query(
    `insert into options (poll_no, option_no, id, text) select poll_no, n, n, n from polls, generate_series(1, 2) as n where slug like 'bench-%'`,
  );
  return rows.map(({ poll_no: pollNo }) => ({ pollNo, ballotForm: 1 }) as Poll); // A lane reads nothing else of a poll.
}

async function record(
  admin: pg.Client,
  connection: Connection,
  polls: readonly Poll[],
  laneCount: number,
): Promise<Slice> {
  await empty(admin);
  const lanes = Array.from({ length: laneCount }, () => createBallotLane(connection, 60_000));
  const work = lanes.map((lane) => ({ lane, batches: makeBatches(polls) }));
  await Promise.all(work.map(({ lane, batches }) => lane.record('refuse', batches.pop() ?? [])));
  const startedAt = performance.now();
  const counts = await Promise.all(work.map(({ lane, batches }) => recordBatches(lane, batches)));
  const seconds = (performance.now() - startedAt) / 1_000;
  await Promise.all(lanes.map((lane) => lane.close()));
  return { perSecond: counts.reduce((sum, count) => sum + count, 0) / seconds };
}

async function recordBatches(lane: BallotLane, batches: readonly (readonly BallotToRecord[])[]): Promise<number> {
  let count = 0;
  for (const batch of batches) {
    const { verdicts } = await lane.record('refuse', batch);
    count += batch.length - verdicts.size;
  }
  return count;
}

function makeBatches(polls: readonly Poll[]): BallotToRecord[][] {
  const makeId = createUuidV7Source(Date.now);
  return Array.from({ length: ballotsPerLane / batchBallots + 1 }, () =>
    Array.from({ length: batchBallots }, () => {
      const poll = polls[Math.floor(Math.random() * polls.length)] as Poll; // The index lies inside the list.
      const voterKey = randomBytes(16);
      const ballot = { poll, id: makeId(), acceptedUs: null, voterKey, retryKey: null, selections: [1] };
      return { version: 1, ballot };
    }).sort(
      (a, b) => a.ballot.poll.pollNo - b.ballot.poll.pollNo || Buffer.compare(a.ballot.voterKey, b.ballot.voterKey),
    ),
  );
}

async function copy(
  admin: pg.Client,
  connection: Connection,
  [poll]: readonly Poll[],
  connections: number,
): Promise<Slice> {
  await empty(admin);
  const clients = Array.from({ length: connections }, () => new pg.Client(connection));
  await Promise.all(clients.map((client) => client.connect()));
  const files = clients.map(() => toCopyFile(poll?.pollNo ?? 0));
  const startedAt = performance.now();
  await Promise.all(
    clients.map((client, index) => {
      const into = client.query(
        copyFrom(
          'copy ballots (cast_at, version, poll_no, voter_key, ballot_id, retry_key, selections) from stdin (format binary)',
        ),
      );
      return pipeline(Readable.from(files[index] ?? []), into);
    }),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  await Promise.all(clients.map((client) => client.end()));
  return { perSecond: (connections * ballotsPerLane) / seconds };
}

/** The same rows in PostgreSQL's binary COPY format, in chunks of 64 KiB. */
function toCopyFile(pollNo: number): Buffer[] {
  const makeId = createUuidV7Source(Date.now);
  const sincePostgresEpochUs = BigInt(Date.now() - Date.UTC(2000, 0)) * 1_000n;
  const rows = Array.from({ length: ballotsPerLane }, () => {
    const row = Buffer.alloc(83);
    let offset = row.writeInt16BE(7, 0);
    const field = (bytes: Buffer): void => {
      offset = row.writeInt32BE(bytes.length, offset);
      offset += bytes.copy(row, offset);
    };
    const int4 = Buffer.alloc(4);
    int4.writeInt32BE(pollNo);
    for (const bytes of [int8(sincePostgresEpochUs), int8(1n), int4, randomBytes(16), makeId()]) field(bytes);
    offset = row.writeInt32BE(-1, offset);
    field(Buffer.from('1'));
    return row.subarray(0, offset);
  });
  const head = Buffer.concat([Buffer.from('PGCOPY\n\u00ff\r\n\u0000', 'latin1'), Buffer.alloc(8)]);
  const whole = Buffer.concat([head, ...rows, Buffer.from([0xff, 0xff])]);
  const chunkBytes = 65_536;
  return Array.from({ length: Math.ceil(whole.length / chunkBytes) }, (_, index) =>
    whole.subarray(index * chunkBytes, (index + 1) * chunkBytes),
  );
}

function int8(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}

async function empty(admin: pg.Client): Promise<void> {
  await admin.query('truncate ballots, tallies, tally_seconds');
  await admin.query('checkpoint');
}
