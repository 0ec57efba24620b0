/** The one use case of the intake: a voter casts a ballot. Every surface that takes ballots comes through here. */
import { AppError } from '../errors.ts';
import type { KeyMaker } from '../identity/voter-key.ts';
import type { IngestLog, Outcome } from '../ingest-log/ingest-log.ts';
import { toUuidText } from '../lib/uuid-v7.ts';
import { checkSelections, toSelectionsText, type Ballot } from '../poll/ballot.ts';
import type { Poll, PollId } from '../poll/poll.ts';
import type { PollStatus } from '../poll/schedule.ts';

/** Who casts: nobody in particular, a browser by the id in its cookie, whoever the client says, or whom a verified token names. */
export type Voter =
  | { readonly kind: 'open' }
  | { readonly kind: 'cookie'; readonly voterId: string }
  | { readonly kind: 'declared'; readonly userId: string }
  | { readonly kind: 'token'; readonly identity: string };

export type CastRequest = {
  readonly poll: Poll;
  readonly voter: Voter;
  readonly optionIds: readonly string[];
  /** Made by the client, the same for every retry; null without one. */
  readonly idempotencyKey: string | null;
};

export type Receipt = {
  /** `counted`: the ledger has the ballot. `received`: the log has it, and what becomes of it is to be asked later. */
  readonly state: 'counted' | 'received';
  readonly ballotId: string;
  readonly pollId: PollId;
  /** Milliseconds since 1970 by the ledger's clock. */
  readonly castAt: number;
  /** A tally with a lower version does not hold the ballot yet. null where the poll hides its results, and of a ballot that is not counted yet. */
  readonly version: number | null;
  /** Of a ballot that is received: what it selects. One that was received under the same key before may select something else. */
  readonly selections?: string;
};

/** The end of one ballot: a receipt, or why there is none. */
export type CastResult = Receipt | AppError;

/**
 * Casts one ballot; `done` is called once, never before this returns. A retry with the same idempotency key gets the same receipt.
 * Refusals: `ballot_invalid`, `credential_missing`, `poll_closed`, `poll_not_open`, `ballot_already_cast`,
 * `idempotency_key_reused`, `ingest_log_full`, `ingest_log_unavailable`, `ledger_unavailable`, `shutting_down`.
 */
export type CastBallot = (request: CastRequest, done: (result: CastResult) => void) => void;

/**
 * What a ballot gets at its acceptance: its id and, where a log takes it, the time. `retry` is there where the client sent an idempotency key;
 * a log that acknowledges before the outcome gives the same id to every ballot of this voter with this key.
 */
export type Stamp = (poll: Poll, retry: Retry | null) => Pick<Ballot, 'id' | 'acceptedUs'>;
export type Retry = { readonly voterKey: Buffer; readonly retryKey: Buffer };

export type CastParts = {
  readonly ingestLog: IngestLog;
  readonly makeKey: KeyMaker;
  readonly stamp: Stamp;
  /** The poll that took no ballot, as it now is: what was at hand may be older than a change made elsewhere. */
  readonly askAgain: (poll: Poll) => Promise<{ poll: Poll; status: PollStatus }>;
  /** A ballot that an earlier attempt brought to the ledger. Only asked where the log cannot tell a retry from a late ballot. */
  readonly findReceipt?: (poll: Poll, ballotId: Buffer) => Promise<Receipt | null>;
  /** Hears of every refusal, before whoever cast the ballot does. */
  readonly onRefused?: (poll: Poll, error: AppError) => void;
  /** Hears of every receipt, by what happened: `stands` is the receipt of an earlier attempt. */
  readonly onReceipt?: (kind: ReceiptKind) => void;
};

export type ReceiptKind = Exclude<Outcome['kind'], 'not_taken' | 'failed'>;

/** How often a ballot is checked anew because its poll was changed under way. */
const formChangesMax = 3;

export function createCastBallot(parts: CastParts): CastBallot {
  const { ingestLog, makeKey, stamp, askAgain, findReceipt, onRefused, onReceipt } = parts;

  const toBallot = createBallotMaker({ makeKey, stamp });

  function toResult(ballot: Ballot, outcome: Exclude<Outcome, { kind: 'not_taken' }>): CastResult {
    const { poll } = ballot;
    const ballotId = toUuidText(ballot.id);
    if (outcome.kind === 'accepted') {
      const selections = toSelectionsText(ballot.selections);
      return { state: 'received', ballotId, pollId: poll.id, castAt: outcome.castAt, version: null, selections };
    }
    if (outcome.kind === 'counted') {
      return { state: 'counted', ballotId, pollId: poll.id, castAt: outcome.castAt, version: outcome.version };
    }
    if (outcome.kind === 'stands') return toStandingResult(ballot, outcome);
    const { code, recorded, cause } = outcome;
    return new AppError(code, failureDetail(recorded), { recorded, cause });
  }

  function cast(request: CastRequest, attemptsLeft: number, done: (result: CastResult) => void): void {
    const ballot = toBallot(request);
    if (ballot instanceof AppError) {
      queueMicrotask(() => done(ballot));
      return;
    }
    ingestLog.append(ballot, (outcome) => {
      if (outcome.kind === 'not_taken') {
        void castAgain(request, ballot, attemptsLeft, done);
        return;
      }
      const result = toResult(ballot, outcome);
      if (outcome.kind !== 'failed' && !(result instanceof AppError)) onReceipt?.(outcome.kind);
      done(result);
    });
  }

  /** The poll took no such ballot: it is not open, or it was changed meanwhile, and then the ballot is checked against the new form. */
  async function castAgain(
    request: CastRequest,
    ballot: Ballot,
    attemptsLeft: number,
    done: (result: CastResult) => void,
  ): Promise<void> {
    const asked = await askAgain(request.poll).catch((cause: unknown) => ({ cause }));
    if ('cause' in asked && asked.cause instanceof AppError) {
      done(asked.cause);
    } else if ('cause' in asked) {
      done(new AppError('ledger_unavailable', failureDetail('no'), { recorded: 'no', cause: asked.cause }));
    } else if (asked.status === 'open' && attemptsLeft > 0) {
      cast({ ...request, poll: asked.poll }, attemptsLeft - 1, done);
    } else {
      done(await toLateResult(request, ballot, asked.status));
    }
  }

  /** A retry of a ballot that was in time has its receipt. While the poll is closing, that ballot may still be on its way. */
  async function toLateResult(request: CastRequest, ballot: Ballot, status: PollStatus): Promise<CastResult> {
    if (findReceipt === undefined || request.idempotencyKey === null) return toNotTaken(status, 'no');
    try {
      const standing = await findReceipt(request.poll, ballot.id);
      if (standing !== null) onReceipt?.('stands');
      return standing ?? toNotTaken(status, status === 'closing' ? 'unknown' : 'no');
    } catch (cause) {
      return new AppError('ledger_unavailable', failureDetail('unknown'), { recorded: 'unknown', cause });
    }
  }

  return (request, done) =>
    cast(request, formChangesMax, (result) => {
      if (result instanceof AppError) onRefused?.(request.poll, result);
      done(result);
    });
}

/** From what was cast to a ballot, or why it is none. */
function createBallotMaker({ makeKey, stamp }: Pick<CastParts, 'makeKey' | 'stamp'>) {
  function toVoterKey(poll: Poll, voter: Voter): Buffer | null {
    if (voter.kind === 'cookie' && poll.electorate === 'cookie') return makeKey('cookie', poll.id, voter.voterId);
    if (voter.kind === 'declared' && poll.electorate === 'declared') return makeKey('declared', poll.id, voter.userId);
    if (voter.kind === 'token' && poll.electorate === 'token') return makeKey('token', poll.id, voter.identity);
    return null;
  }

  return ({ poll, voter, optionIds, idempotencyKey }: CastRequest): Ballot | AppError => {
    const { selections, violations } = checkSelections(poll, optionIds);
    if (violations.length > 0) {
      return new AppError('ballot_invalid', 'The selections break the rules of this poll.', { violations });
    }
    const retryKey = idempotencyKey === null ? null : makeKey('retry', poll.id, idempotencyKey);
    if (poll.electorate === 'open') {
      // Without voters, the key of the retry is all that tells two ballots apart; the growing id keeps the index quick.
      const stamped = stamp(poll, retryKey === null ? null : { voterKey: retryKey, retryKey });
      return { poll, ...stamped, voterKey: retryKey ?? stamped.id, retryKey: null, selections };
    }
    const voterKey = toVoterKey(poll, voter);
    if (voterKey === null) {
      return new AppError('credential_missing', `This poll needs to know its voters (electorate ${poll.electorate}).`);
    }
    const stamped = stamp(poll, retryKey === null ? null : { voterKey, retryKey });
    return { poll, ...stamped, voterKey, retryKey, selections };
  };
}

/** A ballot stands already: the answer to a retry is its receipt, anything else is a second ballot. */
function toStandingResult(ballot: Ballot, outcome: Extract<Outcome, { kind: 'stands' }>): CastResult {
  const { standing } = outcome;
  const receipt: Receipt = { ...standing, state: 'counted', pollId: ballot.poll.id };
  if (standing.ballotId === toUuidText(ballot.id)) return receipt;
  if (!isRetry(ballot, outcome.retryKey)) {
    return new AppError('ballot_already_cast', 'This voter has a counted ballot in this poll.', {
      extra: { ballotId: standing.ballotId, castAt: new Date(standing.castAt).toISOString() },
    });
  }
  if (outcome.selections === toSelectionsText(ballot.selections)) return receipt;
  return new AppError('idempotency_key_reused', 'This idempotency key came with other selections before.');
}

function isRetry(ballot: Ballot, standingRetryKey: string | null): boolean {
  if (ballot.poll.electorate === 'open') return true;
  return ballot.retryKey !== null && standingRetryKey === toUuidText(ballot.retryKey);
}

function toNotTaken(status: PollStatus, recorded: 'no' | 'unknown'): AppError {
  if (status === 'closed' || status === 'closing') {
    return new AppError('poll_closed', 'Voting closed before the ballot arrived. It was not counted.', { recorded });
  }
  const details = {
    draft: 'Voting has not begun.',
    paused: 'Voting is paused.',
    open: 'The poll was changed again and again while the ballot was on its way.',
  };
  return new AppError('poll_not_open', details[status], { recorded });
}

function failureDetail(recorded: 'no' | 'unknown'): string {
  return recorded === 'no'
    ? 'The ballot was not recorded. Send it again with the same Idempotency-Key.'
    : 'Whether the ballot was recorded is not known. Send it again with the same Idempotency-Key: it counts once.';
}
