/** The options with the most votes across polls. */

export type Standing = {
  readonly pollNo: number;
  readonly optionNo: number;
  readonly votes: number;
};

export type TopStandings = {
  offer(pollNo: number, optionNo: number, votes: number): void;
  /** Whether an option of the poll may be among the first, if it has so many votes. */
  hasRoomFor(pollNo: number, votes: number): boolean;
  /** The first of those that were offered: most votes first; equal votes stand in the order of the polls' creation, then of the ballot. */
  list(): Standing[];
};

/** A short sorted list, because `limit` is small and the options are many: nearly all that are offered cost one comparison. */
export function createTopStandings(limit: number): TopStandings {
  const top: Standing[] = [];
  /** What has fewer votes is not among the first. */
  let votesMin = limit > 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  /** Nor what has as many, of a poll that was made later. */
  let pollNoMax = Number.POSITIVE_INFINITY;

  function insert(standing: Standing): void {
    let index = top.length;
    for (; index > 0; index -= 1) {
      const before = top[index - 1];
      if (before === undefined || !isAhead(standing, before)) break;
    }
    top.splice(index, 0, standing);
    if (top.length > limit) top.pop();
    const last = top.length === limit ? top.at(-1) : undefined;
    if (last !== undefined) [votesMin, pollNoMax] = [last.votes, last.pollNo];
  }

  return {
    offer(pollNo, optionNo, votes) {
      if (votes >= votesMin) insert({ pollNo, optionNo, votes });
    },
    hasRoomFor: (pollNo, votes) => votes > votesMin || (votes === votesMin && pollNo <= pollNoMax),
    list: () => [...top],
  };
}

function isAhead(a: Standing, b: Standing): boolean {
  if (a.votes !== b.votes) return a.votes > b.votes;
  return a.pollNo === b.pollNo ? a.optionNo < b.optionNo : a.pollNo < b.pollNo;
}
