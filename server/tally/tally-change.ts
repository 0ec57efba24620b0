/** What a recorded batch changes in the tallies: the unit that the board folds and that processes tell each other. */

export type TallyChange = {
  readonly pollNo: number;
  /** 0 stands for blank ballots, which select no option. */
  readonly optionNo: number;
  /** The second of the votes' cast time, since 1970. A vote taken back has the second in which it was cast. */
  readonly second: number;
  readonly votes: number;
  /** Counted ballots, told on the first selection of each. */
  readonly ballots: number;
  /** By how much the poll's version grows. */
  readonly changes: number;
};

/** The changes of committed batches. Batches of a slot are numbered from 1 without gaps, so a repeat or a loss shows. */
export type TallyDelta = {
  readonly slot: number;
  /** The last batch that the changes contain. */
  readonly batchNo: number;
  /** How many batches they contain, one after the other; one where nothing is said. */
  readonly batchCount?: number;
  readonly changes: readonly TallyChange[];
};

/** How a ballot enters the sums: newly counted, counted in the place of an earlier one, or being that earlier one. */
export type CountingEffect = 'counted' | 'supersedes' | 'superseded';

type Sum = { pollNo: number; optionNo: number; second: number; votes: number; ballots: number; changes: number };

const effects: Readonly<Record<CountingEffect, { sign: 1 | -1; changes: 0 | 1 }>> = {
  counted: { sign: 1, changes: 1 },
  supersedes: { sign: 1, changes: 1 },
  superseded: { sign: -1, changes: 0 },
};

/** Adds up the effects of a batch's ballots, one sum for each poll, option and second. */
export function createChangeSums() {
  const sums = new Map<string | number, Sum>();
  let currentSecond = -1;

  function sumOf(pollNo: number, optionNo: number, second: number): Sum {
    // Nearly all effects of a batch share one second: its keys are numbers, which a Map finds faster than text.
    if (currentSecond < 0) currentSecond = second;
    const place = pollNo * 1024 + optionNo;
    const key = second === currentSecond ? place : `${place}@${second}`;
    let sum = sums.get(key);
    if (sum === undefined) {
      sum = { pollNo, optionNo, second, votes: 0, ballots: 0, changes: 0 };
      sums.set(key, sum);
    }
    return sum;
  }

  return {
    add(pollNo: number, selections: readonly number[], castAtMs: number, effect: CountingEffect): void {
      const { sign, changes } = effects[effect];
      const second = Math.floor(castAtMs / 1000);
      const first = sumOf(pollNo, selections[0] ?? 0, second);
      first.ballots += sign;
      first.changes += changes;
      for (const optionNo of selections) sumOf(pollNo, optionNo, second).votes += sign;
    },
    toChanges: (): readonly TallyChange[] => [...sums.values()],
  };
}
