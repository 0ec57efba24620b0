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
  /** The poll as the ledger has it, whatever is at hand. Calls that overlap share one reading. */
  reload(poll: Poll): Promise<Poll>;
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
  /** Readings under way, by poll: whoever asks meanwhile shares them. */
  const reloads = new Map<number, Promise<Poll>>();
  /** When the next poll at hand closes by itself. */
  let nextCloseAt = Number.POSITIVE_INFINITY;

  function put(poll: Poll): void {
    const known = byNo.get(poll.pollNo);
    if (known !== undefined && known.revision > poll.revision) return;
    byNo.set(poll.pollNo, poll);
    byName.set(poll.id, poll).set(poll.slug, poll);
    closedPollNos.delete(poll.pollNo);
    nextCloseAt = Math.min(nextCloseAt, poll.closesAt ?? Number.POSITIVE_INFINITY);
    if (now() >= nextCloseAt) gatherClosed();
    while (closedPollNos.size > closedPollsMax) dropOldestClosed();
  }

  /** Finds the polls that have closed since the last look. Only a change of the directory can bring it over its limit. */
  function gatherClosed(): void {
    const at = now();
    nextCloseAt = Number.POSITIVE_INFINITY;
    for (const { pollNo, closesAt } of byNo.values()) {
      if (closesAt === null) continue;
      if (closesAt <= at) closedPollNos.add(pollNo);
      else nextCloseAt = Math.min(nextCloseAt, closesAt);
    }
  }

  async function readAgain(poll: Poll): Promise<Poll> {
    const found = await store.find({ by: 'id', name: poll.id });
    if (found === null) throw new Error(`Poll ${poll.id} is no longer in the ledger.`);
    put(found);
    return found;
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
      const known = byName.get(name);
      if (known !== undefined) {
        // Asked for, a closed poll becomes the last to go.
        if (closedPollNos.delete(known.pollNo)) closedPollNos.add(known.pollNo);
        return known;
      }
      const found = await store.find(toPollName(name));
      if (found !== null) put(found);
      return found;
    },
    byNo: (pollNo) => byNo.get(pollNo),
    reload(poll) {
      let reloading = reloads.get(poll.pollNo);
      if (reloading === undefined) {
        reloading = readAgain(poll).finally(() => reloads.delete(poll.pollNo));
        reloads.set(poll.pollNo, reloading);
      }
      return reloading;
    },
    put,
    all: () => byNo.values(),
    async load() {
      for (const poll of await store.listUnclosed()) put(poll);
    },
  };
}
