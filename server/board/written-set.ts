/** What was last written of a sorted set of options, so that only what has changed is written again. */
import type { Poll } from '../poll/poll.ts';

export type MemberChanges = {
  readonly votes: readonly (readonly [member: string, votes: number])[];
  readonly gone: readonly string[];
};

export type WrittenSet = {
  /** What differs from the last time; from now on it counts as written. `each` visits every option that belongs to the set. */
  takeChanges(each: (visit: (poll: Poll, optionNo: number, votes: number) => void) => void): MemberChanges;
  /** Nothing is written. */
  forget(): void;
};

type Written = { poll: Poll; round: number; readonly votes: number[] };

const pollNoMax = 9_999_999_999;
const optionNoMax = 9_999;

export function createWrittenSet(): WrittenSet {
  const written = new Map<number, Written>();
  let round = 0;

  function writtenOf(poll: Poll): Written {
    let entry = written.get(poll.pollNo);
    if (entry === undefined) {
      entry = { poll, round, votes: [] };
      written.set(poll.pollNo, entry);
    }
    entry.poll = poll;
    entry.round = round;
    return entry;
  }

  return {
    takeChanges(each) {
      round += 1;
      const votes: [string, number][] = [];
      const gone: string[] = [];
      each((poll, optionNo, count) => {
        const entry = writtenOf(poll);
        if ((entry.votes[optionNo] ?? 0) === count) return;
        entry.votes[optionNo] = count;
        if (count > 0) votes.push([toMember(poll, optionNo), count]);
        else gone.push(toMember(poll, optionNo));
      });
      for (const [pollNo, entry] of written) {
        if (entry.round === round) continue;
        written.delete(pollNo);
        for (const { optionNo } of entry.poll.options) {
          if ((entry.votes[optionNo] ?? 0) > 0) gone.push(toMember(entry.poll, optionNo));
        }
      }
      return { votes, gone };
    },
    forget() {
      written.clear();
    },
  };
}

/**
 * `<order> <poll id> <option id>`. Redis sorts members with equal scores by their bytes, here from the end: so the order counts down, and a poll that was
 * made earlier, or an option further up on the ballot, comes first.
 */
export function toMember({ id, pollNo, options }: Poll, optionNo: number): string {
  const pollOrder = String(pollNoMax - pollNo).padStart(10, '0');
  const optionOrder = String(optionNoMax - optionNo).padStart(4, '0');
  return `${pollOrder}.${optionOrder} ${id} ${options[optionNo - 1]?.id ?? optionNo}`;
}
