/** From the frames of a backup to a ledger: into an empty one, all of it or nothing. */
import type pg from 'pg';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import type { Connection } from '../postgres.ts';
import type { DumpFile, DumpFrame } from './dump-file.ts';
import { ledgerTables, readColumns, toTarget, type LedgerTable } from './ledger-tables.ts';
import { openPatientClient } from './write-dump.ts';

export type Loaded = { readonly rowCounts: ReadonlyMap<string, number> };

/** The ledger holds something already. */
export class LedgerInUse extends Error {
  override name = 'LedgerInUse';
}

/**
 * What a ledger has told after the backup is lost, but it was told: clients hold versions of polls, Redis nodes hold batches, brokers hold ballots for
 * polls by their numbers. So nothing that is counted goes on where the backup ends; all goes on this far behind it.
 */
const versionsSkipped = 1_000_000_000;
const batchesSkipped = 1_000_000_000_000;
const numbersSkipped = 1_000_000;
const ringsSkipped = 1_000_000;
/** Lanes may have taken slots that the backup does not know. */
const slotsMin = 64;
/** Carries the versions skipped; no lane takes it. */
const restoreSlot = 0;

/** The schema must be the one of the backup. @throws {LedgerInUse} */
export async function loadDump(connection: Connection, dump: DumpFile): Promise<Loaded> {
  const client = await openPatientClient(connection);
  try {
    await client.query('begin');
    const tables = await emptyTables(client);
    const rowCounts = await copyTables(client, dump.frames());
    await skipAhead(client, tables);
    await switchTriggers(client, 'enable');
    await client.query('commit');
    await client.query(`analyze ${[...rowCounts.keys()].map((table) => `public.${table}`).join(', ')}`);
    return { rowCounts };
  } finally {
    // Before the commit that undoes everything.
    await client.end();
  }
}

/** From here on nobody else writes a row, and a server that starts waits. Answers the tables that there are. */
async function emptyTables(client: pg.Client): Promise<ReadonlySet<LedgerTable>> {
  const tables = new Set((await readColumns(client)).keys());
  await client.query(`lock table ${[...tables].map((table) => `public.${table}`).join(', ')} in access exclusive mode`);
  for (const table of tables) {
    // Its one row comes from a migration.
    const rest = table === 'polls_by_vote' ? 'where count > 0' : '';
    const { rowCount } = await client.query(`select from public.${table} ${rest} limit 1`);
    if (rowCount !== 0) throw new LedgerInUse('There is a ledger in this database already: restore into an empty one.');
  }
  if (tables.has('polls_by_vote')) await client.query('delete from public.polls_by_vote');
  await switchTriggers(client, 'disable');
  return tables;
}

/** What triggers would do has been done, and is in the backup. */
async function switchTriggers(client: pg.Client, way: 'enable' | 'disable'): Promise<void> {
  await client.query(`alter table public.polls ${way} trigger user`);
}

async function copyTables(client: pg.Client, dump: AsyncIterable<DumpFrame>): Promise<Map<string, number>> {
  const rowCounts = new Map<string, number>();
  const frames = dump[Symbol.asyncIterator]();
  for (let next = await frames.next(); next.done !== true; next = await frames.next()) {
    const frame = next.value;
    if (frame.kind === 'table') rowCounts.set(frame.table, await copyTable(client, frame, frames));
    else if (frame.kind === 'counters') for (const counter of frame.counters) await setCounter(client, counter);
    else throw new Error('The backup has rows of no table.');
  }
  return rowCounts;
}

type TableFrame = Extract<DumpFrame, { kind: 'table' }>;

async function copyTable(
  client: pg.Client,
  { table, columns }: TableFrame,
  frames: AsyncIterator<DumpFrame>,
): Promise<number> {
  const known = ledgerTables.find((name) => name === table);
  if (known === undefined) throw new Error(`The backup has a table ${table}, which this Hustings does not know.`);
  const copy = client.query(copyFrom(`copy ${toTarget(known, columns)} from stdin`));
  let expected = -1;
  async function* rows(): AsyncGenerator<Buffer> {
    for (let next = await frames.next(); next.done !== true; next = await frames.next()) {
      if (next.value.kind === 'rows') yield next.value.bytes;
      if (next.value.kind === 'end') expected = next.value.rowCount;
      if (next.value.kind !== 'rows') return;
    }
  }
  await pipeline(Readable.from(rows()), copy);
  if (copy.rowCount !== expected) {
    throw new Error(`The backup says that ${table} has ${expected} rows, and ${copy.rowCount} came in.`);
  }
  return expected;
}

async function setCounter(
  client: pg.Client,
  { table, column, last }: { table: string; column: string; last: number },
): Promise<void> {
  await client.query('select setval(pg_get_serial_sequence($1, $2), $3)', [
    `public.${table}`,
    column,
    last + numbersSkipped,
  ]);
}

async function skipAhead(client: pg.Client, tables: ReadonlySet<LedgerTable>): Promise<void> {
  await client.query(
    `insert into public.tallies (poll_no, option_no, slot, votes, ballots, changes)
    select poll_no, 0, ${restoreSlot}, 0, 0, ${versionsSkipped} from public.polls
    on conflict (poll_no, option_no, slot) do update
    set changes = tallies.changes + excluded.changes`,
  );
  await client.query(
    `insert into public.slots (slot, batch_no)
    select slot, ${batchesSkipped}
    from generate_series(1, (select greatest(${slotsMin}, 2 * max(slot)) from public.slots)) as slot
    on conflict (slot) do update
    set batch_no = slots.batch_no + excluded.batch_no`,
  );
  if (tables.has('ring')) await client.query(`update public.ring set generation = generation + ${ringsSkipped}`);
}
