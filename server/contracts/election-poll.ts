/** The poll of the contract `election`: the one with the slug `election`, candidates as options, one ballot for each user. */
import { AppError } from '../errors.ts';
import type { HttpParts } from '../http/parts.ts';
import { isUuidText } from '../lib/uuid-v7.ts';
import type { PollDraft } from '../poll/check-poll.ts';
import { plainTerms, type Poll } from '../poll/poll.ts';

export const electionSlug = 'election';

/**
 * Makes the poll where it is missing. Answers the manage key where it made the poll.
 * @throws {Error} one line for whoever starts the server, where the slug belongs to a poll of another kind
 */
export async function prepareElectionPoll(
  { polls, managePoll, results }: Pick<HttpParts, 'polls' | 'managePoll' | 'results'>,
  candidates: readonly string[],
): Promise<{ manageKey: string | null }> {
  const standing = await polls.find(electionSlug);
  if (standing !== null) {
    if (isElection(standing)) return { manageKey: null };
    throw new Error(
      `The poll with the slug "${electionSlug}" is no election of candidates with UUIDs by users with tokens. Start with an empty database.`,
    );
  }
  try {
    const { manageKey } = await managePoll.create(toElectionPoll(candidates, results.now()));
    return { manageKey };
  } catch (error) {
    // Another server that starts at the same moment made it.
    if (error instanceof AppError && error.code === 'slug_taken') return { manageKey: null };
    throw error;
  }
}

/** null also for a poll of another kind under this name. */
export async function findElectionPoll({ polls }: Pick<HttpParts, 'polls'>): Promise<Poll | null> {
  const poll = polls.peek(electionSlug) ?? (await polls.find(electionSlug));
  return poll !== null && isElection(poll) ? poll : null;
}

function isElection({ electorate, revote, selectionsMin, selectionsMax, options }: Poll): boolean {
  const single = selectionsMin === 1 && selectionsMax === 1;
  return electorate === 'token' && revote === 'refuse' && single && options.every(({ id }) => isUuidText(id));
}

function toElectionPoll(candidates: readonly string[], now: number): PollDraft {
  return {
    ...plainTerms,
    question: 'Who should be elected?',
    electorate: 'token',
    slug: electionSlug,
    options: candidates.map((text, index) => ({ id: toCandidateId(index), text, description: null })),
    opensAt: now,
    closesAt: null,
  };
}

/** The same in every installation, so that the lines of the documentation can be pasted. */
function toCandidateId(index: number): string {
  return `c0000000-0000-4000-8000-${String(index + 1).padStart(12, '0')}`;
}
