/** The options with the most votes across polls. */

export type Standing = {
  readonly pollNo: number;
  readonly optionNo: number;
  readonly votes: number;
};

/**
 * The first `limit` standings: most votes first; equal votes stand in the order of the polls' creation, then of the ballot.
 * One pass with a short sorted list, because the limit is small and the options are many.
 */
export function topStandings(standings: Iterable<Standing>, limit: number): Standing[] {
  const top: Standing[] = [];
  for (const standing of standings) {
    const last = top.at(-1);
    if (last !== undefined && top.length === limit && !isAhead(standing, last)) continue;
    let index = top.length;
    for (; index > 0; index -= 1) {
      const before = top[index - 1];
      if (before === undefined || !isAhead(standing, before)) break;
    }
    top.splice(index, 0, standing);
    if (top.length > limit) top.pop();
  }
  return top;
}

function isAhead(a: Standing, b: Standing): boolean {
  if (a.votes !== b.votes) return a.votes > b.votes;
  return a.pollNo === b.pollNo ? a.optionNo < b.optionNo : a.pollNo < b.pollNo;
}
