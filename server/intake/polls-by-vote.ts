/**
 * Makes polls and options for the first votes for them. Whatever is wanted while the ledger is busy with others goes into one transaction together,
 * so a crowd that votes for something new waits for two of them at most. Which process was first does not matter: the ledger decides.
 */
import { AppError } from '../errors.ts';
import type { PollDirectory } from '../ledger/poll-directory.ts';
import type { PollsByVoteStore, VotedLimits, WantedPoll } from '../ledger/polls-by-vote.ts';
import type { Poll } from '../poll/poll.ts';

export type PollsByVote = {
  /**
   * The poll of this id with this option, made where they were missing. `not_made`: there may be no more such polls, or somebody made a poll that has
   * this id or slug. `options_full`: the poll may have no more options. Rejects as the ledger does. @throws {AppError} `ingest_log_full`
   */
  want(name: string, optionId: string): Promise<PollWanted>;
};

export type PollWanted = Poll | 'not_made' | 'options_full';

type PollsByVoteParts = {
  readonly store: PollsByVoteStore;
  readonly directory: Pick<PollDirectory, 'put' | 'peekMade' | 'madeCount'>;
  readonly limits: VotedLimits;
};

type Want = {
  readonly name: string;
  readonly optionId: string;
  readonly resolve: (wanted: PollWanted) => void;
  readonly reject: (error: unknown) => void;
};

/** How many votes may wait for their polls and options, and how many of them go into one transaction. */
const wantsWaitingMax = 20_000;
const wantsAtOnceMax = 1_000;

export function createPollsByVote({ store, directory, limits }: PollsByVoteParts): PollsByVote {
  const waiting: Want[] = [];
  let making = false;

  /** Of what is at hand, without the ledger: polls that votes have made all are. */
  function findFull(name: string): 'not_made' | 'options_full' | null {
    const poll = directory.peekMade(name);
    if (poll !== undefined) return poll.options.length < limits.optionsMax ? null : 'options_full';
    return directory.madeCount() < limits.pollsMax ? null : 'not_made';
  }

  async function makeAll(): Promise<void> {
    making = true;
    while (waiting.length > 0) {
      // Votes that came in the same moment are heard first.
      await new Promise(setImmediate);
      const wants = waiting.splice(0, wantsAtOnceMax);
      try {
        const made = await store.make(toWantedPolls(wants), limits);
        for (const poll of made.values()) directory.put(poll);
        for (const want of wants) want.resolve(toAnswer(want, made.get(want.name)));
      } catch (error) {
        for (const { reject } of wants) reject(error);
      }
    }
    making = false;
  }

  return {
    want(name, optionId) {
      const full = findFull(name);
      if (full !== null) return Promise.resolve(full);
      if (waiting.length >= wantsWaitingMax) {
        throw new AppError('ingest_log_full', 'Too many votes wait for new polls and options.');
      }
      return new Promise((resolve, reject) => {
        waiting.push({ name, optionId, resolve, reject });
        if (!making) void makeAll();
      });
    },
  };
}

function toAnswer({ optionId }: Want, poll: Poll | undefined): PollWanted {
  if (poll === undefined) return 'not_made';
  return poll.optionNoById.has(optionId) ? poll : 'options_full';
}

function toWantedPolls(wants: readonly Want[]): WantedPoll[] {
  const optionIdsByName = new Map<string, Set<string>>();
  for (const { name, optionId } of wants) {
    const optionIds = optionIdsByName.get(name) ?? new Set();
    optionIdsByName.set(name, optionIds.add(optionId));
  }
  return [...optionIdsByName].map(([name, optionIds]) => ({ name, optionIds: [...optionIds] }));
}
