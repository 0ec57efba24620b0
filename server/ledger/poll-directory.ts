/**
 * The polls that this process has at hand, so that a ballot costs no look-up. Every poll that is not closed stays;
 * of the closed ones, those asked for last. What is not here is read from the ledger.
 */
import { AppError } from '../errors.ts';
import { createRecentSet } from '../lib/recent-set.ts';
import type { Poll } from '../poll/poll.ts';
import { toPollName, type PollStore } from './polls.ts';

export type PollDirectory = {
  /** The poll with this id or slug, if it is at hand. */
  peek(name: string): Poll | undefined;
  /** The same, from the ledger if need be; null where there is none. */
  find(name: string): Promise<Poll | null>;
  byNo(pollNo: number): Poll | undefined;
  /** The poll that votes for this id have made, if it is at hand. */
  peekMade(madeAs: string): Poll | undefined;
  /** The same, from the ledger if need be. */
  findMade(madeAs: string): Promise<Poll | null>;
  /** How many polls that votes have made are at hand. */
  madeCount(): number;
  /** The poll as the ledger has it, whatever is at hand. Calls that overlap share one reading. @throws {AppError} `poll_not_found` */
  reload(poll: Poll): Promise<Poll>;
  /** Takes in a poll as it now stands in the ledger. An older revision changes nothing. */
  put(poll: Poll): void;
  /** Every poll at hand, in no order. */
  all(): Iterable<Poll>;
  /** Takes in every poll that is not closed, and answers their numbers. */
  load(): Promise<ReadonlySet<number>>;
  /** Forgets a poll that was deleted, for good: what a reading brings of it that had begun before is not taken in. */
  drop(pollNo: number): void;
};

const closedPollsMax = 10_000;
/** No reading takes so long that more polls are deleted meanwhile. */
const deletedPollsMax = 10_000;

export function createPollDirectory(store: Pick<PollStore, 'find' | 'listUnclosed'>, now: () => number): PollDirectory {
  const { byNo, byName, byMadeAs, ...index } = createPollIndex();
  const closedPollNos = new Set<number>();
  const deleted = createRecentSet<number>(deletedPollsMax);
  const reload = shareByPoll(async (poll) => {
    const found = takeIn(await store.find({ by: 'id', name: poll.id }));
    if (found === null) drop(poll.pollNo);
    return found;
  });
  /** When the next poll at hand closes by itself. */
  let nextCloseAt = Number.POSITIVE_INFINITY;

  /** What the ledger answered, unless the poll was deleted while it did. */
  function takeIn(found: Poll | null): Poll | null {
    if (found === null || deleted.has(found.pollNo)) return null;
    put(found);
    return found;
  }

  function put(poll: Poll): void {
    if (deleted.has(poll.pollNo)) return;
    const known = byNo.get(poll.pollNo);
    if (known !== undefined && known.revision > poll.revision) return;
    index.add(poll);
    closedPollNos.delete(poll.pollNo);
    const closesAt = poll.closesAt ?? Number.POSITIVE_INFINITY;
    // One that has closed already is known as such without a look at all the others.
    if (closesAt <= now()) closedPollNos.add(poll.pollNo);
    else nextCloseAt = Math.min(nextCloseAt, closesAt);
    if (now() >= nextCloseAt) gatherClosed();
    for (const oldest of closedPollNos) {
      if (closedPollNos.size <= closedPollsMax) break;
      forget(oldest);
    }
  }

  /** Finds the polls that have closed since the last look. Only a change of the directory can bring it over its limit. */
  function gatherClosed(): void {
    const { closed, nextAt } = findClosed(byNo.values(), now());
    for (const pollNo of closed) closedPollNos.add(pollNo);
    nextCloseAt = nextAt;
  }

  function drop(pollNo: number): void {
    deleted.add(pollNo);
    forget(pollNo);
  }

  function forget(pollNo: number): void {
    closedPollNos.delete(pollNo);
    index.remove(pollNo);
  }

  /** Answers the numbers of the polls that are not closed. */
  async function load(): Promise<ReadonlySet<number>> {
    const unclosed = await store.listUnclosed();
    for (const poll of unclosed) put(poll);
    return new Set(unclosed.map(({ pollNo }) => pollNo));
  }

  return {
    peek: (name) => byName.get(name),
    async find(name) {
      const known = byName.get(name);
      if (known !== undefined) {
        // Asked for, a closed poll becomes the last to go.
        if (closedPollNos.delete(known.pollNo)) closedPollNos.add(known.pollNo);
        return known;
      }
      return takeIn(await store.find(toPollName(name)));
    },
    byNo: (pollNo) => byNo.get(pollNo),
    peekMade: (madeAs) => byMadeAs.get(madeAs),
    findMade: async (madeAs) => byMadeAs.get(madeAs) ?? takeIn(await store.find({ by: 'made_as', name: madeAs })),
    madeCount: () => byMadeAs.size,
    reload,
    put,
    all: () => byNo.values(),
    load,
    drop,
  };
}

/** Polls by each of their names. */
function createPollIndex() {
  const byNo = new Map<number, Poll>();
  /** By id and slug. */
  const byName = new Map<string, Poll>();
  const byMadeAs = new Map<string, Poll>();
  return {
    byNo,
    byName,
    byMadeAs,
    add(poll: Poll): void {
      byNo.set(poll.pollNo, poll);
      byName.set(poll.id, poll).set(poll.slug, poll);
      if (poll.madeAs !== null) byMadeAs.set(poll.madeAs, poll);
    },
    remove(pollNo: number): void {
      const poll = byNo.get(pollNo);
      if (poll === undefined) return;
      byNo.delete(pollNo);
      byName.delete(poll.id);
      byName.delete(poll.slug);
      // After a deletion votes may have made another poll of this id already.
      if (poll.madeAs !== null && byMadeAs.get(poll.madeAs)?.pollNo === pollNo) byMadeAs.delete(poll.madeAs);
    },
  };
}

/** The numbers of the polls that have closed, and when the next one will. */
function findClosed(polls: Iterable<Poll>, at: number): { readonly closed: number[]; readonly nextAt: number } {
  const closed: number[] = [];
  let nextAt = Number.POSITIVE_INFINITY;
  for (const { pollNo, closesAt } of polls) {
    if (closesAt === null) continue;
    if (closesAt <= at) closed.push(pollNo);
    else nextAt = Math.min(nextAt, closesAt);
  }
  return { closed, nextAt };
}

/** Whoever asks while a reading of the same poll is under way shares it. */
function shareByPoll(read: (poll: Poll) => Promise<Poll | null>): (poll: Poll) => Promise<Poll> {
  const underWay = new Map<number, Promise<Poll | null>>();
  return async (poll) => {
    let reading = underWay.get(poll.pollNo);
    if (reading === undefined) {
      reading = read(poll).finally(() => underWay.delete(poll.pollNo));
      underWay.set(poll.pollNo, reading);
    }
    const found = await reading;
    if (found === null) throw new AppError('poll_not_found', 'The poll was deleted.');
    return found;
  };
}
