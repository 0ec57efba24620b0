/**
 * More votes than these no option of a poll has: so whoever looks for the options with the most votes passes over nearly all polls without a look at
 * their options. Numbers side by side, because a hundred thousand polls are looked at and a processor reads neighbours together.
 */
import { windowSeconds } from './vote-window.ts';

export type VoteBounds = {
  /** An option of the poll has so many votes now. */
  note(pollNo: number, optionVotes: number): void;
  /** So many votes of the poll were cast in this second. */
  noteCast(pollNo: number, second: number, votes: number): void;
  /** No option has more votes. */
  most(pollNo: number): number;
  /** No option has more votes in the window that ends with this second. */
  mostInWindow(pollNo: number, nowSecond: number): number;
};

const pollsMin = 1_024;
/** Longer than a window, because clocks differ a little: two periods cover one that ends some minutes before the newest vote. */
const periodSeconds = 1.5 * windowSeconds;

export function createVoteBounds(): VoteBounds {
  let most = new Float64Array(pollsMin);
  // Votes of the period that began last and of the one before: together they cover a window, wherever it ends.
  let period = 0;
  let current = new Float64Array(pollsMin);
  let previous = new Float64Array(pollsMin);

  function makeRoom(pollNo: number): void {
    if (pollNo < most.length) return;
    const length = Math.max(pollNo + 1, 2 * most.length);
    [most, current, previous] = [grown(most, length), grown(current, length), grown(previous, length)];
  }

  function moveTo(second: number): void {
    const now = Math.floor(second / periodSeconds);
    if (now <= period) return;
    previous = now === period + 1 ? current : new Float64Array(most.length);
    current = new Float64Array(most.length);
    period = now;
  }

  return {
    note(pollNo, optionVotes) {
      makeRoom(pollNo);
      most[pollNo] = Math.max(most[pollNo] ?? 0, optionVotes);
    },
    noteCast(pollNo, second, votes) {
      // What is taken back only makes a bound less tight.
      if (votes <= 0) return;
      makeRoom(pollNo);
      moveTo(second);
      const sums = second >= period * periodSeconds ? current : previous;
      sums[pollNo] = (sums[pollNo] ?? 0) + votes;
    },
    most: (pollNo) => most[pollNo] ?? 0,
    mostInWindow(pollNo, nowSecond) {
      moveTo(nowSecond);
      return Math.min(most[pollNo] ?? 0, (current[pollNo] ?? 0) + (previous[pollNo] ?? 0));
    },
  };
}

function grown(numbers: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> {
  const longer = new Float64Array(length);
  longer.set(numbers);
  return longer;
}
