/**
 * The polls that this process has at hand, so that a ballot costs no look-up. Every poll that is not closed stays;
 * of the closed ones, those asked for last. What is not here is read from the ledger.
 */
import type { Poll } from '../poll/poll.ts';
import { toPollName, type PollStore } from './polls.ts';

export type PollDirectory = {
  /** The poll with this id or slug, if it is at hand. */
  peek(name: string): Poll | undefined;
  /** The same, from the ledger if need be; null where there is none. */
  find(name: string): Promise<Poll | null>;
  byNo(pollNo: number): Poll | undefined;
  /** Takes in a poll as it now stands in the ledger. An older revision changes nothing. */
  put(poll: Poll): void;
  /** Every poll at hand, in no order. */
  all(): Iterable<Poll>;
  /** Takes in every poll that is not closed. */
  load(): Promise<void>;
};

const closedPollsMax = 10_000;

export function createPollDirectory(store: Pick<PollStore, 'find' | 'listUnclosed'>, now: () => number): PollDirectory {
  const byNo = new Map<number, Poll>();
  const byName = new Map<string, Poll>();
  const closedPollNos = new Set<number>();

  function put(poll: Poll): void {
    const known = byNo.get(poll.pollNo);
    if (known !== undefined && known.revision > poll.revision) return;
    byNo.set(poll.pollNo, poll);
    byName.set(poll.id, poll).set(poll.slug, poll);
    closedPollNos.delete(poll.pollNo);
    if (poll.closesAt !== null && poll.closesAt <= now()) closedPollNos.add(poll.pollNo);
    if (closedPollNos.size > closedPollsMax) dropOldestClosed();
  }

  function dropOldestClosed(): void {
    const [pollNo] = closedPollNos;
    const poll = pollNo === undefined ? undefined : byNo.get(pollNo);
    if (poll === undefined) return;
    closedPollNos.delete(poll.pollNo);
    byNo.delete(poll.pollNo);
    byName.delete(poll.id);
    byName.delete(poll.slug);
  }

  return {
    peek: (name) => byName.get(name),
    async find(name) {
      const found = byName.get(name) ?? (await store.find(toPollName(name)));
      if (found === null) return null;
      put(found);
      return found;
    },
    byNo: (pollNo) => byNo.get(pollNo),
    put,
    all: () => byNo.values(),
    async load() {
      for (const poll of await store.listUnclosed()) put(poll);
    },
  };
}
