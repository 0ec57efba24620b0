/** Making and changing polls. Each change is decided while no ballot is being recorded, and stands in the poll's log. */
import { randomInt } from 'node:crypto';
import { AppError } from '../errors.ts';
import { drawManageKey, hashManageKey } from '../identity/manage-key.ts';
import type { PollDirectory } from '../ledger/poll-directory.ts';
import type { Logo, NewPoll, PollChange, PollStore } from '../ledger/polls.ts';
import {
  checkOptions,
  checkPoll,
  checkTerms,
  type OptionDraft,
  type PollDraft,
  type Violation,
} from '../poll/check-poll.ts';
import { drawJoinCode, drawSlug } from '../poll/names.ts';
import type { Poll, PollTerms, Schedule } from '../poll/poll.ts';
import { closePoll, extendPoll, openPoll, pausePoll, pollStatusAt, reopenPoll, type Step } from '../poll/schedule.ts';

export type PollCreated = { readonly poll: Poll; readonly manageKey: string };

/** A step in a poll's life that its manager takes. Times in milliseconds by the ledger's clock. */
export type PollStep =
  | { readonly step: 'open' | 'pause' | 'close' }
  | { readonly step: 'extend' | 'reopen'; readonly closesAt: number | null }
  | { readonly step: 'postpone'; readonly minutes: number };

/** New terms and options; what is left out stays. */
export type PollEdit = Partial<PollTerms> & { readonly options?: readonly OptionDraft[] };

export type ManagePoll = {
  /** @throws {AppError} `poll_invalid`, `slug_taken` */
  create(draft: PollDraft): Promise<PollCreated>;
  /** @throws {AppError} `poll_state_conflict` */
  take(poll: Poll, step: PollStep): Promise<Poll>;
  /** @throws {AppError} `poll_invalid`, `options_frozen` */
  edit(poll: Poll, edit: PollEdit): Promise<Poll>;
  setLogo(poll: Poll, logo: Logo | null): Promise<Poll>;
  /** Deletes the poll for good. Ballots that are on their way to it find none. */
  remove(poll: Poll): Promise<void>;
};

export type ManageParts = {
  /** Deletes a poll from the ledger and forgets its tally. */
  readonly removePoll: (poll: Poll) => Promise<void>;
  readonly store: PollStore;
  readonly directory: PollDirectory;
  readonly makePollId: () => Buffer;
  readonly now: () => number;
  /** Whether this server can verify tokens: without that nobody could vote in a poll that asks for them. */
  readonly takesTokens: boolean;
  /** Whether ballots are accepted before the ledger knows of them: then options are fixed from the opening on. */
  readonly ballotsTravel: boolean;
};

/** Names are drawn again when another poll has them; a code of six has 887 million values, so twice is rare already. */
const drawsMax = 10;

export function createManagePoll(parts: ManageParts): ManagePoll {
  const { store, directory, makePollId, now, removePoll, takesTokens, ballotsTravel } = parts;

  function checkElectorate({ electorate }: Partial<PollTerms>): Violation[] {
    return electorate === 'token' && !takesTokens ? [{ pointer: '/electorate', rule: 'token_not_configured' }] : [];
  }

  async function insert(draft: PollDraft, manageKeyHash: Buffer): Promise<Poll> {
    for (let draw = 1; draw <= drawsMax; draw += 1) {
      const named: NewPoll = {
        ...draft,
        id: makePollId(),
        slug: draft.slug ?? drawSlug(draft.question, randomInt),
        joinCode: drawJoinCode(randomInt),
        manageKeyHash,
      };
      const inserted = await store.insert(named);
      if (inserted === 'slug_taken' && draft.slug !== null) {
        throw new AppError('slug_taken', `Another poll has the slug ${draft.slug}.`);
      }
      if (typeof inserted !== 'string') return inserted;
    }
    throw new Error(`No free name for a poll after ${drawsMax} draws.`);
  }

  async function change(poll: Poll, decide: Parameters<PollStore['change']>[1]): Promise<Poll> {
    const changed = await store.change(poll.pollNo, decide);
    directory.put(changed);
    return changed;
  }

  return {
    async create(draft) {
      const violations = [...checkElectorate(draft), ...checkPoll(draft, now())];
      if (violations.length > 0) throw new AppError('poll_invalid', 'The poll breaks a rule.', { violations });
      const manageKey = drawManageKey();
      const poll = await insert(draft, hashManageKey(manageKey));
      directory.put(poll);
      return { poll, manageKey };
    },
    take: (poll, step) => change(poll, (standing, at) => toChange(step, takeStep(standing, at, step))),
    async setLogo(poll, logo) {
      const changed = await store.writeLogo(poll.pollNo, logo);
      directory.put(changed);
      return changed;
    },
    async remove(poll) {
      await removePoll(poll);
      directory.drop(poll.pollNo);
    },
    edit: (poll, edit) =>
      change(poll, (standing, at, hasBallots) => {
        const mayHaveBallots = hasBallots || (ballotsTravel && pollStatusAt(standing, at) !== 'draft');
        return toEdit(standing, edit, mayHaveBallots, checkElectorate(edit));
      }),
  };
}

function takeStep(schedule: Schedule, now: number, step: PollStep): Step {
  switch (step.step) {
    case 'open':
      return openPoll(schedule, now);
    case 'pause':
      return pausePoll(schedule, now);
    case 'close':
      return closePoll(schedule, now);
    case 'extend':
      return extendPoll(schedule, now, step.closesAt);
    case 'postpone':
      return extendPoll(schedule, now, (schedule.closesAt ?? now) + step.minutes * 60_000);
    case 'reopen':
      return reopenPoll(schedule, now, step.closesAt);
  }
}

function toChange(step: PollStep, taken: Step): PollChange {
  if ('refused' in taken) throw new AppError('poll_state_conflict', taken.refused);
  return { schedule: taken.schedule, event: step.step, detail: toLoggedSchedule(taken.schedule) };
}

function toLoggedSchedule({ opensAt, closesAt, pausedAt }: Schedule): object {
  return { opensAt: toLoggedTime(opensAt), closesAt: toLoggedTime(closesAt), pausedAt: toLoggedTime(pausedAt) };
}

function toLoggedTime(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString();
}

/** What voters have voted on and under: it is fixed by the first ballot. */
const frozenTerms = ['electorate', 'revote', 'selectionsMin', 'selectionsMax'] as const satisfies (keyof PollTerms)[];

function toEdit(poll: Poll, edit: PollEdit, hasBallots: boolean, found: readonly Violation[]): PollChange {
  const { options, ...given } = edit;
  const terms: PollTerms = { ...poll, ...given };
  const changesForm = options !== undefined || frozenTerms.some((term) => terms[term] !== poll[term]);
  if (hasBallots && changesForm) {
    throw new AppError('options_frozen', 'Ballots exist: options, electorate, revote and selections stay as they are.');
  }
  const violations = [
    ...found,
    ...checkTerms(terms, (options ?? poll.options).length),
    ...(options === undefined ? [] : checkOptions(options)),
  ];
  if (violations.length > 0) throw new AppError('poll_invalid', 'The poll breaks a rule.', { violations });
  const change = { terms, changesForm, event: 'edited', detail: { before: toLoggedTerms(poll, edit), after: edit } };
  return options === undefined ? change : { ...change, options };
}

/** The old values of what an edit names. */
function toLoggedTerms(poll: Poll, edit: PollEdit): object {
  return Object.fromEntries(Object.entries(poll).filter(([key]) => key in edit));
}
