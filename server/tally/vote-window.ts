/**
 * The votes of the last ten minutes, to the second: a vote cast in second s is inside while s > now - 600 s,
 * so the window falls by itself when votes age out. Memory grows with the seconds in which votes came, at most 600 of them.
 */

export const windowSeconds = 600;
/** Votes per second are the mean over this many whole seconds before the current one. */
export const rateSeconds = 10;

type Second = { readonly second: number; votes: number; readonly byOption: Map<number, number> };

export type VoteWindow = {
  /** Adds votes (negative: takes votes back) that were cast in this second. */
  add(second: number, optionNo: number, votes: number): void;
  /** Votes inside the window at `nowSecond`. `nowSecond` must not step back from one call to the next. */
  total(nowSecond: number): number;
  totalOf(nowSecond: number, optionNo: number): number;
  /** The same of every option, by its number; of one without votes 0 or nothing. It goes on changing: read it at once. */
  totals(nowSecond: number): readonly (number | undefined)[];
  perSecond(nowSecond: number): number;
};

export function createVoteWindow(): VoteWindow {
  const seconds: Second[] = [];
  const byOption: number[] = [];
  let total = 0;

  function secondAt(second: number): Second {
    let index = seconds.length;
    while (index > 0 && (seconds[index - 1]?.second ?? 0) > second) index -= 1;
    const found = seconds[index - 1];
    if (found?.second === second) return found;
    const added: Second = { second, votes: 0, byOption: new Map() };
    seconds.splice(index, 0, added);
    return added;
  }

  function expire(nowSecond: number): void {
    let expiredCount = 0;
    for (const entry of seconds) {
      if (entry.second > nowSecond - windowSeconds) break;
      total -= entry.votes;
      for (const [optionNo, votes] of entry.byOption) byOption[optionNo] = (byOption[optionNo] ?? 0) - votes;
      expiredCount += 1;
    }
    if (expiredCount > 0) seconds.splice(0, expiredCount);
  }

  return {
    add(second, optionNo, votes) {
      // Votes taken back after they aged out are out of the window already.
      const newest = seconds.at(-1)?.second ?? second;
      if (second <= newest - windowSeconds) return;
      const entry = secondAt(second);
      entry.votes += votes;
      addTo(entry.byOption, optionNo, votes);
      total += votes;
      byOption[optionNo] = (byOption[optionNo] ?? 0) + votes;
    },
    total(nowSecond) {
      expire(nowSecond);
      return total;
    },
    totalOf(nowSecond, optionNo) {
      expire(nowSecond);
      return byOption[optionNo] ?? 0;
    },
    totals(nowSecond) {
      expire(nowSecond);
      return byOption;
    },
    perSecond(nowSecond) {
      let votes = 0;
      for (let index = seconds.length - 1; index >= 0; index -= 1) {
        const entry = seconds[index];
        if (entry === undefined || entry.second < nowSecond - rateSeconds) break;
        if (entry.second < nowSecond) votes += entry.votes;
      }
      return votes / rateSeconds;
    },
  };
}

function addTo(sums: Map<number, number>, key: number, votes: number): void {
  const sum = (sums.get(key) ?? 0) + votes;
  if (sum === 0) sums.delete(key);
  else sums.set(key, sum);
}
