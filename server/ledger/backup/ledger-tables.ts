/** The tables of the ledger as a backup sees them. */
import type { Queryable } from '../postgres.ts';

/**
 * Every table, a referenced one before those that refer to it. One that a later migration adds goes in here; a backup of an older
 * schema leaves out what that does not have. The migrations' own table is no part of it: restoring runs them.
 */
export const ledgerTables = [
  'secrets',
  'ring',
  'polls',
  'options',
  'poll_events',
  'polls_by_vote',
  'deleted_polls',
  'ballots',
  'ballot_history',
  'ballot_refusals',
  'slots',
  'tallies',
  'tally_seconds',
  'log_nodes',
  'log_segments',
] as const;

export type LedgerTable = (typeof ledgerTables)[number];

/** The columns of each table that the database has, in their order. */
export async function readColumns(client: Queryable): Promise<Map<LedgerTable, string[]>> {
  const { rows } = await client.query<{ name: LedgerTable; columns: string[] }>(
    `select wanted.name, array_agg(attname::text order by attnum) as columns
    from unnest($1::text[]) with ordinality as wanted (name, place)
    join pg_attribute on attrelid = to_regclass('public.' || wanted.name)
    where attnum > 0 and not attisdropped and attgenerated = ''
    group by wanted.name, wanted.place
    order by wanted.place`,
    [ledgerTables],
  );
  return new Map(rows.map(({ name, columns }) => [name, columns]));
}

/** The columns that count by themselves, and the last number each has given out. */
export async function readCounters(client: Queryable): Promise<{ table: LedgerTable; column: string; last: number }[]> {
  const { rows } = await client.query<{ table: LedgerTable; column: string; sequence: string }>(
    `select
      wanted.name as "table",
      attname as "column",
      pg_get_serial_sequence('public.' || wanted.name, attname) as sequence
    from unnest($1::text[]) as wanted (name)
    join pg_attribute on attrelid = to_regclass('public.' || wanted.name)
    where attidentity <> ''
    order by wanted.name, attnum`,
    [ledgerTables],
  );
  const counters = [];
  for (const { table, column, sequence } of rows) {
    const { rows: found } = await client.query<{ last: number }>(
      `select case when is_called then last_value else 0 end as last from ${sequence}`,
    );
    counters.push({ table, column, last: found[0]?.last ?? 0 });
  }
  return counters;
}

/** The names of the migrations that have run, in their order. None where there is no ledger yet. */
export async function readMigrations(client: Queryable): Promise<string[]> {
  const { rows: tables } = await client.query<{ found: boolean }>(
    `select to_regclass('public.migrations') is not null as found`,
  );
  if (tables[0]?.found !== true) return [];
  const { rows } = await client.query<{ name: string }>('select name from public.migrations order by id');
  return rows.map(({ name }) => name);
}

/** As in `"public"."polls" ("poll_no", "id")`; the names come from the catalog. */
export function toTarget(table: LedgerTable, columns: readonly string[]): string {
  return `public.${table} (${columns.map((column) => `"${column}"`).join(', ')})`;
}
