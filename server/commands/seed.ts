/** `hustings seed duel`: 3,000 votes through the front door of a running server, each of a voter of its own. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** Two votes for the first option, then one for the second, and so on. */
const pattern = ['a', 'a', 'b'] as const;
export const seedVotes = 3_000;

export type SeedOptions = { readonly url: string; readonly onProgress: (done: number) => void };
export type SeedReport = { readonly a: number; readonly b: number; readonly retries: number };

const underWayMax = 50;
const attemptsMax = 30;
const pauseMs = 1_000;
const pauseMsMax = 10_000;

/** @throws {Error} one line, where the server does not take votes or stays away */
export async function seedDuel({ url, onProgress }: SeedOptions): Promise<SeedReport> {
  const report = { a: 0, b: 0, retries: 0 };
  const votes = Array.from({ length: seedVotes }, (_, index) => pattern[index % pattern.length] ?? 'a').values();
  let failed = false;

  /** The voters share one list, and the failure of one ends it for all. */
  async function castInTurn(): Promise<void> {
    for (const vote of votes) {
      if (failed) return;
      report.retries += await castPatiently(url, vote);
      report[vote] += 1;
      onProgress(report.a + report.b);
    }
  }

  const voters = Array.from({ length: underWayMax }, () =>
    castInTurn().catch((error: unknown) => {
      failed = true;
      throw error;
    }),
  );
  await Promise.all(voters);
  return report;
}

/** Answers how often it had to ask again. The key stays the same, so that no attempt counts twice. */
async function castPatiently(url: string, vote: string): Promise<number> {
  const key = randomUUID();
  for (let attempt = 1; ; attempt += 1) {
    const answer = await castOnce(url, vote, key);
    if (answer === 'counted') return attempt - 1;
    if (attempt === attemptsMax) throw new Error(`The server at ${url} does not take votes: ${answer.reason}.`);
    // Not all at the same moment: those who were turned away together come back one by one.
    await sleep(answer.waitMs * (1 + Math.random()));
  }
}

type Refused = { readonly reason: string; readonly waitMs: number };

async function castOnce(url: string, vote: string, key: string): Promise<'counted' | Refused> {
  let response: Response;
  try {
    response = await fetch(`${url}/`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'idempotency-key': key },
      body: `vote=${vote}`,
    });
    await response.arrayBuffer();
  } catch {
    return { reason: 'it cannot be reached', waitMs: pauseMs };
  }
  if (response.ok) return 'counted';
  if (response.status !== 503 && response.status !== 429) {
    throw new Error(`The server at ${url} answered ${response.status}. Does it run with --preset duel?`);
  }
  return { reason: `it answers ${response.status}`, waitMs: toWaitMs(response.headers.get('retry-after')) };
}

function toWaitMs(retryAfter: string | null): number {
  const seconds = Number(retryAfter ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1_000, pauseMsMax) : pauseMs;
}
