/** The answer to whoever casts a ballot: counted, accepted for counting, or refused. */
import type { IncomingHttpHeaders } from 'node:http';
import { AppError, type ErrorCode } from '../errors.ts';
import type { BallotStates } from '../intake/ballot-states.ts';
import type { Receipt } from '../intake/cast-ballot.ts';
import type { BallotOutcome } from '../ledger/ballots.ts';
import type { PollId } from '../poll/poll.ts';

/** An answer is held for an outcome so long at most, whatever the client prefers. Seconds. */
export const waitSecondsMax = 10;
const waitPattern = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,4})"?\s*(?:$|[,;])/iu;

/** How long the client would wait for an outcome (`Prefer: wait=2`, RFC 7240, section 4.3), in milliseconds; 0 without a word. */
export function waitMsOf({ prefer }: IncomingHttpHeaders): number {
  const text = Array.isArray(prefer) ? prefer.join(',') : prefer;
  const seconds = Number(waitPattern.exec(text ?? '')?.[1] ?? 0);
  return Math.min(seconds, waitSecondsMax) * 1_000;
}

/**
 * The receipt of a ballot that a log has taken, as it stands after `waitMs` at most: counted where the outcome came in time.
 * @throws {AppError} where the outcome is a refusal, as if the ballot had been recorded at once
 */
export async function awaitOutcome(states: BallotStates, received: Receipt, waitMs: number): Promise<Receipt> {
  if (received.state === 'counted' || waitMs === 0) return received;
  const ended = await states.outcomeOf(received.ballotId, received.castAt, waitMs);
  if (ended === null) return received;
  if (ended.status === 'failed') throw toRefusal(ended.reason);
  // Ballots under one key have one id, and the ledger has the first of them.
  if (ended.selections !== received.selections) throw toRefusal('idempotency_key_reused');
  return toCountedReceipt(ended);
}

function toCountedReceipt({
  ballotId,
  pollId,
  castAt,
  version,
}: Exclude<BallotOutcome, { status: 'failed' }>): Receipt {
  return { state: 'counted', ballotId, pollId: pollId as PollId, castAt, version }; // As the ledger has it.
}

/** Why an accepted ballot does not count, in words. */
const refusalDetails: Partial<Readonly<Record<ErrorCode, string>>> = {
  ballot_already_cast: 'This voter has a counted ballot in this poll.',
  idempotency_key_reused: 'This idempotency key came with other selections before.',
  poll_closed: 'Voting closed before the ballot arrived. It was not counted.',
  poll_not_open: 'The poll was not open when the ballot arrived.',
  poll_not_found: 'The poll was deleted.',
};

export function toRefusal(reason: ErrorCode): AppError {
  return new AppError(reason, refusalDetails[reason] ?? 'The ballot could not be recorded.', { recorded: 'no' });
}
