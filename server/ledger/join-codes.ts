/**
 * From a join code to its poll, without a look into the ledger for each of a thousand people who type the same one. The ledger alone says which
 * code belongs to which poll, and that never changes, so what one process remembers needs no telling to the others.
 */
import { createExpiringSet } from '../lib/expiring-set.ts';
import { isStorable } from '../poll/check-poll.ts';
import type { Poll } from '../poll/poll.ts';
import type { PollDirectory } from './poll-directory.ts';
import type { PollStore } from './polls.ts';

export type JoinCodes = {
  /** The poll with this code, as `toJoinCode` writes it; null where there is none. Calls that overlap share one reading. */
  find(code: string): Promise<Poll | null>;
};

export type JoinCodesParts = {
  readonly polls: Pick<PollDirectory, 'byNo' | 'put'>;
  readonly store: Pick<PollStore, 'find'>;
  /** Milliseconds, never stepping back. */
  readonly now: () => number;
};

/** Longer texts are no codes. */
const codeCharsMax = 32;
const knownMax = 10_000;
/** A code that does not exist is not asked for again for a moment: a guesser has no part of the ledger's time. */
const unknown = { valuesMax: 10_000, keptMs: 5_000 };

export function createJoinCodes({ polls, store, now }: JoinCodesParts): JoinCodes {
  /** The numbers of polls, those asked for last at the end. */
  const known = new Map<string, number>();
  const unknownCodes = createExpiringSet<string>(unknown, now);
  const underWay = new Map<string, Promise<Poll | null>>();

  async function read(code: string): Promise<Poll | null> {
    const found = await store.find({ by: 'join_code', name: code });
    if (found === null) {
      unknownCodes.add(code);
      return null;
    }
    polls.put(found);
    // One that was deleted meanwhile was not taken in.
    const poll = polls.byNo(found.pollNo) ?? null;
    if (poll !== null) remember(code, poll.pollNo);
    return poll;
  }

  function remember(code: string, pollNo: number): void {
    known.delete(code);
    known.set(code, pollNo);
    const [oldest] = known.keys();
    if (known.size > knownMax && oldest !== undefined) known.delete(oldest);
  }

  return {
    async find(code) {
      if (code === '' || code.length > codeCharsMax || !isStorable(code) || unknownCodes.has(code)) return null;
      const pollNo = known.get(code);
      const poll = pollNo === undefined ? undefined : polls.byNo(pollNo);
      if (poll !== undefined) {
        remember(code, poll.pollNo);
        return poll;
      }
      let reading = underWay.get(code);
      if (reading === undefined) {
        reading = read(code).finally(() => underWay.delete(code));
        underWay.set(code, reading);
      }
      return reading;
    },
  };
}
