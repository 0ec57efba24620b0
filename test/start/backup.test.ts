/** `hustings backup` and `hustings restore`, on databases of their own. */
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { backup } from '../../server/commands/backup.ts';
import { restore, type Restored } from '../../server/commands/restore.ts';
import { parseConfig, type Config } from '../../server/config.ts';
import { createElectionStore } from '../../server/ledger/election.ts';
import { listMigrations, migrate } from '../../server/ledger/migrate.ts';
import { createPool } from '../../server/ledger/postgres.ts';
import { findTallyMismatches } from '../../server/ledger/tallies.ts';
import { ledgerTables } from '../../server/ledger/backup/ledger-tables.ts';
import type { DumpFrame } from '../../server/ledger/backup/dump-file.ts';
import { openDumpFile, writeDumpFile } from '../../server/ledger/backup/dump-file.ts';
import { createPoll, get, post } from '../support/http.ts';
import { openTestLedger, toBallot, toBatch, type TestLedger } from '../support/ledger.ts';
import { createDatabase, startOn, startTestServer } from '../support/server.ts';

const log = pino({ level: 'silent' });
const options = { log, onProgress: () => {}, onLost: fail };
const version = '1.2.3';
const png = Buffer.from('89504e470d0a1a0a0000ff5c0a09', 'hex');

function configOf(databaseUrl: string): Config {
  return parseConfig({ argv: ['--log-level', 'silent'], env: { DATABASE_URL: databaseUrl } });
}

async function backUp(databaseUrl: string): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hustings-backup-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'ledger.backup');
  expect(await backup(configOf(databaseUrl), { file, version }, options)).toContain(file);
  return file;
}

function restoreInto(databaseUrl: string, file: string): Promise<Restored> {
  return restore(configOf(databaseUrl), file, options);
}

/** Every row of every table, but for what a restore moves on. */
async function readAll(databaseUrl: string): Promise<Record<string, unknown[]>> {
  return withClient(databaseUrl, async (client) => {
    const all: Record<string, unknown[]> = {};
    for (const table of ledgerTables) {
      if (table === 'slots') continue;
      const where = table === 'tallies' ? 'where slot > 0' : '';
      const { rows } = await client.query<{ row: string }>(
        `select ${table}::text as row from ${table} ${where} order by 1`,
      );
      all[table] = rows.map(({ row }) => row);
    }
    return all;
  });
}

async function withClient<Result>(url: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Something in every table but the ring's, with texts that a format could trip over. */
async function fillLedger(ledger: TestLedger): Promise<void> {
  const { store, pool } = ledger;
  const question = 'Tab\there, backslash \\N, newline\nand "quotes" — ¿naïve? 🗳';
  const fixed = await ledger.createPoll({ question });
  const changeable = await ledger.createPoll({ revote: 'replace', description: '\\.\n' });
  const gone = await ledger.createPoll();
  await store.writeLogo(fixed.pollNo, { type: 'image/png', bytes: png });
  const lane = ledger.createLane();
  const ballots = Array.from({ length: 40 }, (_, at) =>
    toBallot(fixed, { selections: at % 4 === 0 ? [] : [1, 1 + (at % 3)].slice(at % 2) }),
  );
  await lane.record('refuse', toBatch(ballots));
  const voterKey = Buffer.alloc(16, 7);
  for (const option of [1, 2, 3]) {
    await lane.record(
      'replace',
      toBatch([toBallot(changeable, { voterKey, selections: [option] }), toBallot(changeable)]),
    );
  }
  await createElectionStore(pool).keepRefusal({
    ballotId: '01900000-0000-7000-8000-000000000001',
    pollNo: fixed.pollNo,
    optionNo: 2,
    reason: 'poll_closed',
    acceptedAt: Date.now(),
  });
  await ledger.rows('insert into secrets (name, value) values ($1, $2)', ['epoch', Buffer.alloc(32, 0x5c)]);
  await ledger.rows('insert into deleted_polls (poll_no) values ($1)', [gone.pollNo]);
  await ledger.rows(`insert into log_nodes (node_id, settled_through) values (gen_random_uuid(), now())`);
  await ledger.rows('insert into log_segments (node_id, segment_no) select node_id, 5 from log_nodes');
  await ledger.rows('update polls_by_vote set count = 3');
}

test('everything comes back as it was: polls, ballots, history, refusals, pictures, secrets', async () => {
  const ledger = await openTestLedger();
  await fillLedger(ledger);
  const before = await readAll(ledger.url);
  for (const [table, rows] of Object.entries(before)) if (table !== 'ring') expect(rows, table).not.toEqual([]);
  const file = await backUp(ledger.url);
  const target = await createDatabase();
  const { agree, report } = await restoreInto(target, file);
  expect(report).toContain('3 polls');
  expect(agree).toBe(true);
  expect(await readAll(target)).toEqual(before);
});

test('nothing that was counted before the restore comes again: versions, batches, numbers of polls', async () => {
  const ledger = await openTestLedger();
  await fillLedger(ledger);
  const file = await backUp(ledger.url);
  // What happens after the backup is lost, but clients and nodes of the board may have heard of it.
  const lost = await ledger.createPoll();
  await ledger.createLane().record('refuse', toBatch([toBallot(lost)]));
  const target = await createDatabase();
  await restoreInto(target, file);
  const ask = (url: string) =>
    withClient(url, async (client) => {
      const { rows } = await client.query<{ versions: number[]; batches: number[]; next: number }>(`
        select
          (select array_agg(sum::float8 order by poll_no) from (select poll_no, sum(changes) from tallies group by 1) as each) as versions,
          (select array_agg(batch_no::float8 order by slot) from slots) as batches,
          nextval(pg_get_serial_sequence('polls', 'poll_no'))::float8 as next`);
      return rows[0] ?? { versions: [], batches: [], next: 0 };
    });
  const [old, restored] = [await ask(ledger.url), await ask(target)];
  expect(Math.min(...restored.versions)).toBeGreaterThan(Math.max(...old.versions));
  expect(restored.batches.length).toBeGreaterThan(old.batches.length);
  expect(Math.min(...restored.batches)).toBeGreaterThan(Math.max(...old.batches));
  expect(restored.next).toBeGreaterThan(old.next);
});

test('a server goes on with the restored ledger: the same voters, votes and keys, and it can be backed up again', async () => {
  const server = await startTestServer('--preset', 'none');
  const poll = await createPoll(server.url, { slug: 'drinks' });
  const ballots = `/api/v1/polls/${poll.id}/ballots`;
  await post(`${server.url}${ballots}`, { selections: ['1'], userId: 'alice' });
  const file = await backUp(server.databaseUrl);
  const target = await createDatabase();
  await restoreInto(target, file);
  const restored = await startOn(target, ['--preset', 'none']);
  expect((await post(`${restored.url}${ballots}`, { selections: ['2'], userId: 'alice' })).status).toBe(409);
  expect((await post(`${restored.url}${ballots}`, { selections: ['2'], userId: 'bob' })).status).toBe(201);
  await createPoll(restored.url, { slug: 'later' });
  const again = await createDatabase();
  expect(await restoreInto(again, await backUp(target))).toMatchObject({ agree: true });
  const third = await startOn(again, ['--preset', 'none']);
  expect(await get(`${third.url}/api/v1/polls/${poll.id}/tally`)).toMatchObject({ json: { total: 2 } });
  const epochs = await Promise.all(
    [server, third].map(({ query }) => query(`select value from secrets where name = 'epoch'`)),
  );
  expect(epochs[0]).toEqual(epochs[1]);
});

test('a backup while ballots are recorded is of one moment: every tally equals the count', async () => {
  const ledger = await openTestLedger();
  const fixed = await ledger.createPoll();
  const changeable = await ledger.createPoll({ revote: 'replace' });
  let recording = true;
  let batches = 0;
  const lanes = [fixed, changeable].map(async (poll) => {
    const lane = ledger.createLane();
    while (recording) {
      const voters = Array.from({ length: 20 }, (_, at) => (at < 5 ? { voterKey: Buffer.alloc(16, at) } : {}));
      const batch = voters.map((voter, at) => toBallot(poll, { ...voter, selections: [1 + (at % 3)] }));
      await lane.record(poll === fixed ? 'refuse' : 'replace', toBatch(batch));
      batches += 1;
    }
  });
  for (let round = 0; round < 4; round += 1) {
    await expect.poll(() => batches).toBeGreaterThan(20 * (round + 1));
    const before = await countBallots(ledger.url);
    const file = await backUp(ledger.url);
    const after = await countBallots(ledger.url);
    const target = await createDatabase();
    expect((await restoreInto(target, file)).report).toContain('Every tally equals the count');
    const restored = await countBallots(target);
    expect(restored).toBeGreaterThanOrEqual(before);
    expect(restored).toBeLessThanOrEqual(after);
  }
  recording = false;
  await Promise.all(lanes);
});

async function countBallots(url: string): Promise<number> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ count: string }>('select count(*) from ballots');
    return Number(rows[0]?.count);
  });
}

test('a file that is cut off or altered is refused, and the database stays as it was', async () => {
  const ledger = await openTestLedger();
  await fillLedger(ledger);
  const file = await backUp(ledger.url);
  const whole = await readFile(file);
  const target = await createDatabase();
  const altered = Buffer.from(whole);
  altered.writeUInt8(whole.readUInt8(whole.length >> 1) ^ 1, whole.length >> 1);
  for (const bytes of [whole.subarray(0, whole.length >> 1), whole.subarray(0, -1), altered]) {
    await writeFile(file, bytes);
    await expect(restoreInto(target, file)).rejects.toThrow('is damaged');
  }
  expect(await listTables(target)).toEqual([]);
});

test('a file whose rows do not fit leaves no row behind, and the whole one still goes in', async () => {
  const ledger = await openTestLedger();
  await fillLedger(ledger);
  const file = await backUp(ledger.url);
  const { header, frames } = await openDumpFile(file);
  const all = await collect(frames());
  const target = await createDatabase();
  const broken: [fault: string, frames: DumpFrame[]][] = [
    ['and 3 came in', all.map((frame) => (isEndOf(frame, all, 'polls') ? { ...frame, rowCount: 4 } : frame))],
    [
      'invalid input syntax',
      all.map((frame) => (isRowsOf(frame, all, 'ballots') ? { ...frame, bytes: Buffer.from('x\n') } : frame)),
    ],
    ['which this Hustings does not know', [...all, { kind: 'table', table: 'pg_authid', columns: ['rolname'] }]],
  ];
  for (const [fault, changed] of broken) {
    const other = `${file}.other`;
    await writeDumpFile(other, header, give(changed));
    await expect(restoreInto(target, other)).rejects.toThrow(fault);
    expect(await countBallots(target)).toBe(0);
  }
  expect(await restoreInto(target, file)).toMatchObject({ agree: true });
});

function tableOf(frame: DumpFrame, all: readonly DumpFrame[]): string | undefined {
  const last = all.slice(0, all.indexOf(frame) + 1).findLast((each) => each.kind === 'table');
  return last?.table;
}

function isEndOf(frame: DumpFrame, all: readonly DumpFrame[], table: string): boolean {
  return frame.kind === 'end' && tableOf(frame, all) === table;
}

function isRowsOf(frame: DumpFrame, all: readonly DumpFrame[], table: string): boolean {
  return frame.kind === 'rows' && tableOf(frame, all) === table;
}

async function collect(frames: AsyncIterable<DumpFrame>): Promise<DumpFrame[]> {
  const all: DumpFrame[] = [];
  for await (const frame of frames) all.push(frame);
  return all;
}

async function* give(frames: readonly DumpFrame[]): AsyncGenerator<DumpFrame> {
  yield* await Promise.resolve(frames);
}

test('a database that holds a ledger takes no other one, and keeps its own', async () => {
  const ledger = await openTestLedger();
  await fillLedger(ledger);
  const file = await backUp(ledger.url);
  const other = await openTestLedger();
  await other.createPoll();
  const before = await readAll(other.url);
  await expect(restoreInto(other.url, file)).rejects.toThrow('There is a ledger in this database already');
  expect(await readAll(other.url)).toEqual(before);
  // Tables without a row are no ledger yet.
  const empty = await openTestLedger();
  expect(await restoreInto(empty.url, file)).toMatchObject({ agree: true });
});

test('a backup of an older schema comes back, and then the newer migrations run', async () => {
  const url = await createDatabase();
  const pool = createPool({ connectionString: url }, { connectionsMax: 1, statementTimeoutMs: 10_000 }, fail);
  onTestFinished(() => pool.end());
  const names = await listMigrations();
  const countMax = names.indexOf('0008_election');
  expect(await migrate(pool, { lockTimeoutMs: 10_000, log, countMax })).toEqual(names.slice(0, countMax));
  await pool.query(`insert into polls (id, slug, join_code, question, electorate, revote, visibility, selections_min, selections_max, listed, manage_key_hash)
    values (gen_random_uuid(), 'old', 'old', 'Old?', 'open', 'refuse', 'always', 1, 1, true, '')`);
  await pool.query(`insert into options (poll_no, option_no, id, text) select poll_no, 1, 'yes', 'Yes' from polls`);
  const file = await backUp(url);
  expect((await openDumpFile(file)).header.migrations).toEqual(names.slice(0, countMax));
  const target = await createDatabase();
  const { agree, report } = await restoreInto(target, file);
  expect(agree).toBe(true);
  expect(report).toContain(`${names.length - countMax} newer migrations ran`);
  const server = await startOn(target, ['--preset', 'none']);
  expect((await fetch(`${server.url}/api/v1/polls/old`)).status).toBe(200);
  // The database that was backed up has not been migrated by that.
  expect(await listTables(url)).not.toContain('ring');
});

test('a backup of a newer Hustings is refused', async () => {
  const ledger = await openTestLedger();
  const file = await backUp(ledger.url);
  const { header, frames } = await openDumpFile(file);
  const newer = { ...header, version: '9.0.0', migrations: [...header.migrations, '9999_later'] };
  await writeDumpFile(file, newer, frames());
  await expect(restoreInto(await createDatabase(), file)).rejects.toThrow('was made by Hustings 9.0.0');
});

test('a ledger whose tallies are wrong comes back, and the report says which', async () => {
  const ledger = await openTestLedger();
  const poll = await ledger.createPoll();
  await ledger.createLane().record('refuse', toBatch([toBallot(poll)]));
  await ledger.rows('update tallies set votes = votes + 1 where option_no = 1');
  expect(await findTallyMismatches(ledger.pool)).toHaveLength(1);
  const restored = await restoreInto(await createDatabase(), await backUp(ledger.url));
  expect(restored.agree).toBe(false);
  expect(restored.report).toContain(`${poll.slug}, option 1: tally 2, ledger 1`);
});

test('an empty database has nothing to back up, and no file is made', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hustings-backup-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'ledger.backup');
  const making = backup(configOf(await createDatabase()), { file, version }, options);
  await expect(making).rejects.toThrow('nothing to back up');
  expect(await readdir(folder)).toEqual([]);
});

async function listTables(url: string): Promise<string[]> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `select tablename as name from pg_tables where schemaname = 'public'`,
    );
    return rows.map(({ name }) => name);
  });
}

function fail(error: Error): void {
  throw error;
}
