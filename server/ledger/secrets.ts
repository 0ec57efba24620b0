/** Secrets that all processes of one installation share. The first process that asks makes them. */
import { randomBytes } from 'node:crypto';
import type { Pool } from './postgres.ts';

const secretBytes = 32;

export async function readOrMakeSecret(pool: Pool, name: string): Promise<Buffer> {
  await pool.query('insert into secrets (name, value) values ($1, $2) on conflict do nothing', [
    name,
    randomBytes(secretBytes),
  ]);
  const { rows } = await pool.query<{ value: Buffer }>('select value from secrets where name = $1', [name]);
  if (rows[0] === undefined) throw new Error(`The secret ${name} is not in the ledger.`);
  return rows[0].value;
}
