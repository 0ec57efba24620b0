/** The poll of the contract `duel`: the one with the slug `duel`, with the options `a` and `b`, one changeable ballot per browser. */
import type { FastifyBaseLogger } from 'fastify';
import { AppError } from '../errors.ts';
import type { HttpParts } from '../http/parts.ts';
import type { PollDraft } from '../poll/check-poll.ts';
import { plainTerms, type Poll } from '../poll/poll.ts';

export const duelSlug = 'duel';

/** What people call the two options. */
export type DuelNames = { readonly a: string; readonly b: string };

type DuelParts = Pick<HttpParts, 'polls' | 'managePoll' | 'results'> & {
  readonly log: Pick<FastifyBaseLogger, 'warn'>;
};

/**
 * Makes the poll where it is missing, and gives its options these names while nobody has voted. Answers the manage key where it made the poll.
 * @throws {Error} one line for whoever starts the server, where the slug belongs to a poll of another kind
 */
export async function prepareDuelPoll(parts: DuelParts, names: DuelNames): Promise<{ manageKey: string | null }> {
  const standing = await parts.polls.find(duelSlug);
  if (standing !== null) {
    await adoptNames(parts, standing, names);
    return { manageKey: null };
  }
  try {
    const { manageKey } = await parts.managePoll.create(toDuelPoll(names, parts.results.now()));
    return { manageKey };
  } catch (error) {
    // Another server that starts at the same moment made it.
    if (error instanceof AppError && error.code === 'slug_taken') return { manageKey: null };
    throw error;
  }
}

export async function findDuelPoll({ polls }: Pick<HttpParts, 'polls'>): Promise<Poll> {
  const poll = polls.peek(duelSlug) ?? (await polls.find(duelSlug));
  if (poll === null) throw new AppError('poll_not_found', 'There is no duel.');
  return poll;
}

/** The names as the ledger has them. */
export function toDuelNames(poll: Poll): DuelNames {
  const [a, b] = ['a', 'b'].map((id) => poll.options.find((option) => option.id === id)?.text ?? id);
  return { a: a ?? 'a', b: b ?? 'b' };
}

export function toDuelTitle({ a, b }: DuelNames): string {
  return `${a} vs ${b}!`;
}

function toDuelPoll(names: DuelNames, now: number): PollDraft {
  return {
    ...plainTerms,
    question: toDuelTitle(names),
    electorate: 'cookie',
    revote: 'replace',
    slug: duelSlug,
    options: toOptions(names),
    opensAt: now,
    closesAt: null,
  };
}

function toOptions({ a, b }: DuelNames): PollDraft['options'] {
  return [
    { id: 'a', text: a, description: null },
    { id: 'b', text: b, description: null },
  ];
}

async function adoptNames({ managePoll, log }: DuelParts, poll: Poll, names: DuelNames): Promise<void> {
  const { electorate, revote, options } = poll;
  const ids = options.map(({ id }) => String(id)).join();
  if (ids !== 'a,b' || electorate !== 'cookie' || revote !== 'replace') {
    throw new Error(`The poll with the slug "${duelSlug}" is no duel of two options. Start with an empty database.`);
  }
  const standing = toDuelNames(poll);
  if (standing.a === names.a && standing.b === names.b) return;
  try {
    await managePoll.edit(poll, { question: toDuelTitle(names), options: toOptions(names) });
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'options_frozen')) throw error;
    log.warn({ standing, asked: names }, 'options keep their names: people have voted for them');
  }
}
