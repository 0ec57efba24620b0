/**
 * A lane records batches one after the other on a connection of its own, into a tally slot of its own,
 * so that lanes never wait for each other's rows. The statement is `record_ballots` (or `record_changeable_ballots`) of
 * migrations/0002_recording.sql: one round trip, one transaction, committed when `record` resolves.
 */
import pg from 'pg';
import { toSelectionsText, type Ballot } from '../poll/ballot.ts';
import type { Revote } from '../poll/poll.ts';
import { BatchFailed, recordedAfter } from './batch-failure.ts';
import { toAsciiArray, toInt4Array, toInt8Array, toUuidArray } from './pg-array.ts';
import { toClientConfig, type Connection } from './postgres.ts';

/** A ballot with the version that its receipt will say, or null where receipts must not tell it. */
export type BallotToRecord = { readonly ballot: Ballot; readonly version: number | null };

/** What became of a ballot that was not simply recorded and counted; see the type ballot_verdict in SQL. */
export type Verdict =
  | ({ readonly kind: 'stands'; readonly ballotId: string; readonly retryKey: string | null } & Standing)
  | { readonly kind: 'supersedes'; readonly castAt: number; readonly selections: string }
  | { readonly kind: 'overtaken' }
  | { readonly kind: 'not_taken' };

type Standing = { readonly castAt: number; readonly version: number | null; readonly selections: string };

export type BatchRecorded = {
  /** The ledger's time for every ballot that was recorded now and was not accepted before (`castAtOf`). */
  readonly castAt: number;
  readonly slot: number;
  readonly batchNo: number;
  /** By index into the batch. A ballot without a verdict was recorded and counted. */
  readonly verdicts: ReadonlyMap<number, Verdict>;
};

export type BallotLane = {
  /**
   * Records a batch, sorted by (poll, voter), in which no ballot comes twice. All its polls have this revote policy.
   * @throws {BatchFailed} which says whether the batch may be in the ledger; the lane reconnects by itself.
   */
  record(revote: Revote, batch: readonly BallotToRecord[]): Promise<BatchRecorded>;
  close(): Promise<void>;
};

type VerdictRow = {
  ordinal: number;
  verdict: 'batch' | Verdict['kind'];
  cast_at: number;
  version: number | null;
  ballot_id: string;
  retry_key: string | null;
  selections: string;
};

const statements: Readonly<Record<Revote, { name: string; text: string }>> = {
  refuse: { name: 'record_ballots', text: 'select * from record_ballots($1, $2, $3, $4, $5, $6, $7, $8, $9)' },
  replace: {
    name: 'record_changeable_ballots',
    text: 'select * from record_changeable_ballots($1, $2, $3, $4, $5, $6, $7, $8, $9)',
  },
};

/** The class of the advisory locks by which a lane's connection owns its slot. */
const slotLockClass = 1_215_460_181;
const slotsMax = 10_000;
/** How long a look at the connection before takes, and how many looks there are: longer together than any statement. */
const outliveStepMs = 200;
const outliveStepsMax = 100;
const lockNotAvailable = '55P03';

/** A slot and the backend of PostgreSQL that holds its lock. */
type Claim = { readonly slot: number; readonly pid: number };
type Opened = Claim & { readonly client: pg.Client };

export function createBallotLane(connection: Connection, statementTimeoutMs: number): BallotLane {
  let opened: Opened | null = null;
  /** What the connection before held: its last batch may still be under way in the database. */
  let former: Claim | null = null;

  async function open(): Promise<Opened> {
    const client = new pg.Client(toClientConfig(connection, statementTimeoutMs));
    // A lost connection fails the query under way; between queries the next `record` opens a new one.
    client.on('error', () => discard(client));
    try {
      await client.connect();
      const outlived = former === null ? null : await outlive(client, former);
      former = outlived ?? (await claimSlot(client));
      return { client, ...former };
    } catch (error) {
      await closeQuietly(client);
      throw new BatchFailed('no', error);
    }
  }

  function discard(client: pg.Client): void {
    if (opened?.client === client) opened = null;
    void closeQuietly(client);
  }

  return {
    async record(revote, batch) {
      opened ??= await open();
      const { client, slot } = opened;
      try {
        const { rows } = await client.query<VerdictRow>({ ...statements[revote], values: toParameters(slot, batch) });
        return toBatchRecorded(slot, rows);
      } catch (error) {
        // A connection whose answer is in doubt could hand it to the next batch: it is never used again.
        discard(client);
        throw new BatchFailed(recordedAfter(error), error);
      }
    },
    async close() {
      if (opened !== null) await closeQuietly(opened.client);
      opened = null;
    },
  };
}

/** The first slot that no other connection owns. The lock goes with the connection, so a killed process leaves none behind. */
async function claimSlot(client: pg.Client): Promise<Claim> {
  for (let slot = 1; slot <= slotsMax; slot += 1) {
    const { rows } = await client.query<{ claimed: boolean; pid: number }>(
      'select pg_try_advisory_lock($1, $2) as claimed, pg_backend_pid() as pid',
      [slotLockClass, slot],
    );
    if (rows[0]?.claimed === true) return { slot, pid: rows[0].pid };
  }
  throw new Error(`All ${slotsMax} tally slots are taken.`);
}

/**
 * Waits until the backend of a lost connection is gone, and takes over its slot. Its batch may yet be committed there: recorded again
 * before that, a ballot could be called late that counts a moment later. A backend that has finished waits for its client
 * for ever where the network is cut, so it is ended. Answers null where the backend is gone already.
 */
async function outlive(client: pg.Client, { slot, pid }: Claim): Promise<Claim | null> {
  const held = `
    from pg_locks
    where locktype = 'advisory' and classid = $1::integer::oid and objid = $2::integer::oid and objsubid = 2 and pid = $3
      and database = (select oid from pg_database where datname = current_database())`;
  const end = `select pg_terminate_backend(pid) ${held} and pid in (select pid from pg_stat_activity where state = 'idle')`;
  const wait = `select pg_backend_pid() as pid, pg_advisory_lock($1::integer, $2::integer) ${held}`;
  const values = [slotLockClass, slot, pid];
  await client.query(`set lock_timeout = ${outliveStepMs}`);
  for (let step = 1; step <= outliveStepsMax; step += 1) {
    await client.query(end, values);
    const taken = await client.query<{ pid: number }>(wait, values).catch(toNullIfWaited);
    if (taken === null) continue;
    await client.query('set lock_timeout = 0');
    const [row] = taken.rows;
    return row === undefined ? null : { slot, pid: row.pid };
  }
  throw new Error(`The connection before, of process ${pid} in PostgreSQL, does not end.`);
}

function toNullIfWaited(error: unknown): null {
  if (error instanceof pg.DatabaseError && error.code === lockNotAvailable) return null;
  throw error;
}

function toParameters(slot: number, batch: readonly BallotToRecord[]): unknown[] {
  return [
    slot,
    toInt4Array(batch.map(({ ballot }) => ballot.poll.pollNo)),
    toInt4Array(batch.map(({ ballot }) => ballot.poll.ballotForm)),
    toUuidArray(batch.map(({ ballot }) => ballot.voterKey)),
    toUuidArray(batch.map(({ ballot }) => ballot.id)),
    toUuidArray(batch.map(({ ballot }) => ballot.retryKey)),
    toInt8Array(batch.map(({ version }) => version)),
    toAsciiArray(batch.map(({ ballot }) => toSelectionsText(ballot.selections))),
    batch.some(({ ballot }) => ballot.acceptedUs !== null)
      ? toInt8Array(batch.map(({ ballot }) => ballot.acceptedUs))
      : null,
  ];
}

function toBatchRecorded(slot: number, rows: readonly VerdictRow[]): BatchRecorded {
  const verdicts = new Map<number, Verdict>();
  let castAt = 0;
  let batchNo = 0;
  for (const row of rows) {
    if (row.verdict === 'batch') {
      castAt = row.cast_at;
      batchNo = row.version ?? 0;
    } else {
      verdicts.set(row.ordinal - 1, toVerdict(row, row.verdict));
    }
  }
  return { castAt, slot, batchNo, verdicts };
}

function toVerdict(row: VerdictRow, kind: Verdict['kind']): Verdict {
  const { cast_at: castAt, version, selections } = row;
  if (kind === 'stands') return { kind, castAt, version, selections, ballotId: row.ballot_id, retryKey: row.retry_key };
  if (kind === 'supersedes') return { kind, castAt, selections };
  return { kind };
}

async function closeQuietly(client: pg.Client): Promise<void> {
  // The connection is given up because it failed already: a second failure at its end says nothing new.
  await client.end().catch(() => undefined);
}
