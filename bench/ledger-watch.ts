/** Looks into the ledger from outside while votes are on their way: when was everything counted, and does it agree? */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';

export type CountWatch = {
  /** When the ledger was first seen with so many ballots of the poll, in milliseconds since 1970. */
  seenAt(ballots: number): Promise<number>;
};

const lookMs = 2;
/** While votes are still sent. */
const calmLookMs = 20;
const lookMsMax = 60_000;

/** Looks from now on, until `seenAt` has its answer. */
export function watchCounts(database: pg.Pool, pollId: string): CountWatch {
  const seen: { at: number; ballots: number }[] = [];
  let wanted = Number.POSITIVE_INFINITY;

  async function look(): Promise<void> {
    const endsAt = performance.now() + lookMsMax;
    while ((seen.at(-1)?.ballots ?? 0) < wanted) {
      if (performance.now() > endsAt)
        throw new Error(`Only ${seen.at(-1)?.ballots} of ${wanted} ballots were counted.`);
      const { rows } = await database.query<{ ballots: string }>(
        'select coalesce(sum(tallies.ballots), 0) as ballots from tallies join polls on polls.poll_no = tallies.poll_no where polls.id = $1',
        [pollId],
      );
      seen.push({ at: performance.timeOrigin + performance.now(), ballots: Number(rows[0]?.ballots) });
      await sleep(wanted === Number.POSITIVE_INFINITY ? calmLookMs : lookMs);
    }
  }

  const looking = look();
  looking.catch(() => undefined);
  return {
    async seenAt(ballots) {
      wanted = ballots;
      await looking;
      return seen.find((each) => each.ballots >= ballots)?.at ?? Number.NaN;
    },
  };
}

/** @throws {Error} unless the ledger has exactly the ballots that were acknowledged, and its tallies agree */
export async function checkGates(database: pg.Pool, pollId: string, acknowledged: number): Promise<void> {
  const { rows } = await database.query<{ rows: string; tallied: string; refused: string }>(
    `select
      (select count(*) from ballots where ballots.poll_no = polls.poll_no) as rows,
      (select coalesce(sum(votes), 0) from tallies where tallies.poll_no = polls.poll_no) as tallied,
      (select count(*) from ballot_refusals where ballot_refusals.poll_no = polls.poll_no) as refused
    from polls
    where id = $1`,
    [pollId],
  );
  const [row] = rows;
  if (Number(row?.rows) === acknowledged && row?.rows === row?.tallied && row?.refused === '0') return;
  throw new Error(
    `A gate failed: ${acknowledged} ballots were acknowledged, and the ledger has ${JSON.stringify(row)}.`,
  );
}
