/** Sending a ballot until it is certain what became of it: the same ballot with the same key, so that it counts once however often it is sent. */
import type { Receipt } from '../../protocol/ballot.ts';
import type { Problem } from '../../protocol/problem.ts';

export type BallotToCast = {
  readonly pollId: string;
  readonly selections: readonly string[];
  readonly userId: string | null;
  readonly token: string | null;
  readonly key: string;
};

export type CastAnswer =
  | { readonly kind: 'counted'; readonly ballotId: string; readonly castAt: string }
  /** Accepted, and what becomes of it is to be asked later. */
  | { readonly kind: 'received'; readonly ballotId: string }
  | { readonly kind: 'refused'; readonly problem: Problem }
  /** Nothing certain: to be sent again. `retryAfterMs`: as the server asks for; null where it does not. */
  | {
      readonly kind: 'again';
      readonly why: 'offline' | 'overloaded' | 'unknown';
      readonly retryAfterMs: number | null;
    };

const answerMsMax = 15_000;
/** Where a broker carries the ballots, the server answers with the outcome if it comes so soon. */
const outcomeWaitSeconds = 2;

export async function castOnce({ pollId, selections, userId, token, key }: BallotToCast): Promise<CastAnswer> {
  try {
    const response = await fetch(`/api/v1/polls/${pollId}/ballots`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': `"${key}"`,
        prefer: `wait=${outcomeWaitSeconds}`,
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(userId === null ? { selections } : { selections, userId }),
      signal: AbortSignal.timeout(answerMsMax),
    });
    // A proxy in between may answer for a server that it cannot reach, in words of its own.
    const body: unknown = await response.json().catch(() => null);
    if (response.ok && isReceipt(body)) {
      const { ballotId, castAt } = body;
      return castAt === null ? { kind: 'received', ballotId } : { kind: 'counted', ballotId, castAt };
    }
    if (isProblem(body) && body.recorded !== 'unknown' && response.status < 500 && response.status !== 429) {
      return { kind: 'refused', problem: body };
    }
    const seconds = Number(response.headers.get('retry-after'));
    const why = response.status === 503 || response.status === 429 ? 'overloaded' : 'unknown';
    return { kind: 'again', why, retryAfterMs: seconds > 0 ? seconds * 1_000 : null };
  } catch {
    // No answer came, whatever the reason: whether the ballot arrived is not known.
    return { kind: 'again', why: navigator.onLine ? 'unknown' : 'offline', retryAfterMs: null };
  }
}

function isReceipt(body: unknown): body is Receipt {
  return typeof body === 'object' && body !== null && 'ballotId' in body && 'castAt' in body;
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'code' in body && 'recorded' in body;
}

const firstPauseMs = 500;
const pauseMsMax = 20_000;

/**
 * How long to wait before the attempt after `failures` failed ones: twice as long each time, at least as long as the server asks, and
 * drawn at random beyond that, so that a crowd does not come back at one moment. `random` from 0 to 1.
 */
export function toPauseMs(failures: number, retryAfterMs: number | null, random: number): number {
  const grown = Math.min(pauseMsMax, firstPauseMs * 2 ** (failures - 1));
  return retryAfterMs === null ? grown * (0.5 + random / 2) : retryAfterMs + grown * random;
}

/** A key that nobody else makes. Not randomUUID: browsers have that only over HTTPS, and a laptop in the room has none. */
export function drawKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
