/** What becomes of a vote of the contract `election`. */
import { randomUUID } from 'node:crypto';
import { AppError } from '../errors.ts';
import type { HttpParts } from '../http/parts.ts';
import { castToReceipt, type TokenVoter } from '../http/requests.ts';
import type { CastRequest } from '../intake/cast-ballot.ts';
import type { ElectionStore, ElectionVote } from '../ledger/election.ts';
import { isUuidText, toUuidText } from '../lib/uuid-v7.ts';

export type VoteParts = Pick<HttpParts, 'castBallot' | 'makeKey' | 'results'> & { readonly votes: ElectionStore };
export type AcceptedVote = { readonly voteId: string; readonly acceptedAt: number };
type TokenCast = CastRequest & { readonly voter: TokenVoter };

/**
 * Casts the vote. A second one of the same user is accepted, too: that it does not count is what becomes of it.
 * @throws {AppError} where it is not accepted
 */
export async function acceptVote(parts: VoteParts, request: TokenCast): Promise<AcceptedVote> {
  try {
    const { ballotId, castAt } = await castToReceipt(parts, request);
    return { voteId: ballotId, acceptedAt: castAt };
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'ballot_already_cast')) throw error;
    return keepSecondVote(parts, request);
  }
}

async function keepSecondVote({ makeKey, results, votes }: VoteParts, request: TokenCast): Promise<AcceptedVote> {
  const { poll, voter, optionIds, idempotencyKey } = request;
  // A retry with the same key has the same id.
  const ballotId =
    idempotencyKey === null
      ? randomUUID()
      : toUuidText(makeKey('refused', poll.id, `${voter.identity}\n${idempotencyKey}`));
  const acceptedAt = results.now();
  const optionNo = poll.optionNoById.get(optionIds[0] ?? '') ?? 0;
  await votes.keepRefusal({ ballotId, pollNo: poll.pollNo, optionNo, reason: 'ballot_already_cast', acceptedAt });
  return { voteId: ballotId, acceptedAt };
}

export type VoteStatus = Omit<ElectionVote, 'status' | 'at'> & {
  readonly status: ElectionVote['status'] | 'received' | 'validating';
  /** null where the vote is under way and its id does not tell when it was accepted. */
  readonly at: number | null;
};

/** The one place that asks what became of a vote. null: nobody has cast one with this id. */
export async function readVoteStatus(
  { votes, ballotStates }: Pick<VoteParts, 'votes'> & Pick<HttpParts, 'ballotStates'>,
  voteId: string,
): Promise<VoteStatus | null> {
  if (!isUuidText(voteId)) return null;
  const ended = await votes.findVote(voteId);
  if (ended !== null) return ended;
  const state = await ballotStates.read(voteId);
  if (state === null || (state.status !== 'received' && state.status !== 'validating')) return null;
  const { ballotId, status, castAt } = state;
  return { voteId: ballotId, candidateId: null, status, reason: null, at: castAt };
}
