/** A ledger that makes everybody wait, so that a program takes every connection that it ever may. */
import pg from 'pg';

export type HeldLedger = {
  /** Connections of our programs to this server of PostgreSQL or, where it has several databases of ours, to this one. */
  count(): Promise<number>;
  /** Of these, the ones that wait for what is held. */
  countWaiting(): Promise<number>;
  letGo(): Promise<void>;
};

/** `alone`: no other database of ours is on that server. */
export async function holdLedger(options: pg.ClientConfig, { alone }: { alone: boolean }): Promise<HeldLedger> {
  const client = new pg.Client({ ...options, application_name: 'test' });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('begin');
  await client.query('lock table ballots in access exclusive mode');
  const ours = `application_name like 'hustings%'${alone ? '' : ' and datname = current_database()'}`;
  async function countWhere(condition: string): Promise<number> {
    const text = `select count(*)::integer as count from pg_stat_activity where ${condition}`;
    // Within a transaction the first look at the activity would be shown again.
    const { rows } = await client.query<{ count: number }>(text, []);
    await client.query('select pg_stat_clear_snapshot()');
    return rows[0]?.count ?? 0;
  }
  return {
    count: () => countWhere(ours),
    countWaiting: () => countWhere(`${ours} and wait_event_type = 'Lock'`),
    letGo: () => client.end(),
  };
}

/** Requests that need the database, more than it has connections for. They are answered when the ledger is let go. */
export function floodLedger(serverUrl: string, pollId: string, requests: number): Promise<unknown> {
  const body = (voter: number): string => JSON.stringify({ selections: ['1'], userId: `voter-${voter}` });
  const headers = { 'content-type': 'application/json', connection: 'close' };
  const unknownBallot = '0190a000-0000-7000-8000-000000000000';
  return Promise.allSettled(
    Array.from({ length: requests }, (_, no) => [
      fetch(`${serverUrl}/api/v1/ballots/${unknownBallot}`, { headers }),
      fetch(`${serverUrl}/api/v1/polls/${pollId}/ballots`, { method: 'POST', body: body(no), headers }),
    ]).flat(),
  );
}
