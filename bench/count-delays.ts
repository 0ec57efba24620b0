/**
 * How long it takes from the acceptance of a ballot until it is counted, seen from outside while others load the server: a few ballots are cast
 * one after the other, and each is looked for in the ledger every millisecond or so until it is there. The ledger tells when it was
 * accepted and what time it is, both by its own clock. A server that counts before it answers is timed from the request to the answer.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';

export type DelayProbe = {
  /** Milliseconds, one for each ballot cast. */
  stop(): Promise<readonly number[]>;
};

const chains = 4;
const lookMs = 1;
const restMs = 5;

export function startDelayProbe(database: pg.Pool, ballotsUrl: string): DelayProbe {
  const delays: number[] = [];
  let stopped = false;

  async function castOne(): Promise<number> {
    const sentAt = performance.now();
    const response = await fetch(ballotsUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ selections: ['1'], userId: randomBytes(8).toString('hex') }),
    });
    const answeredMs = performance.now() - sentAt;
    if (!response.ok) throw new Error(`The server answered ${response.status}.`);
    const { ballotId } = (await response.json()) as { ballotId: string }; // The server's own receipt.
    return response.status === 202 ? untilCounted(ballotId) : answeredMs;
  }

  async function untilCounted(ballotId: string): Promise<number> {
    for (;;) {
      const { rows } = await database.query<{ ms: number }>(
        `select extract(epoch from clock_timestamp())::float8 * 1000 - accepted_us / 1000.0::float8 as ms
        from ballots
        where ballot_id = $1`,
        [ballotId],
      );
      if (rows[0] !== undefined) return rows[0].ms;
      await sleep(lookMs);
    }
  }

  async function castInTurn(): Promise<void> {
    while (!stopped) {
      delays.push(await castOne());
      await sleep(restMs);
    }
  }

  const casting = Promise.all(Array.from({ length: chains }, castInTurn));
  casting.catch(() => undefined);
  return {
    async stop() {
      stopped = true;
      await casting;
      return delays;
    },
  };
}
