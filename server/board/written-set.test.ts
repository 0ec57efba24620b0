import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makePoll } from '../poll/test-support.ts';
import type { Poll } from '../poll/poll.ts';
import { createTopStandings } from '../tally/leaderboard.ts';
import { createWrittenSet, toMember, type MemberChanges } from './written-set.ts';

const polls = [1, 2, 3, 40, 500].map((pollNo) => makePoll({ pollNo }));

/** Which polls belong to the set, and the votes of their options. */
type Round = { readonly pollNos: readonly number[]; readonly votes: readonly number[] };

const round: fc.Arbitrary<Round> = fc.record({
  pollNos: fc.subarray(polls.map(({ pollNo }) => pollNo)),
  votes: fc.array(fc.nat({ max: 3 }), { minLength: 15, maxLength: 15 }),
});

function* standingsOf({ pollNos, votes }: Round): Generator<[Poll, number, number]> {
  for (const [index, poll] of polls.entries()) {
    if (!pollNos.includes(poll.pollNo)) continue;
    for (const { optionNo } of poll.options) yield [poll, optionNo, votes[index * 3 + optionNo - 1] ?? 0];
  }
}

/** As Redis does it. */
function apply(set: Map<string, number>, { votes, gone }: MemberChanges): void {
  for (const [member, count] of votes) set.set(member, count);
  for (const member of gone) expect(set.delete(member)).toBe(true);
}

/** `ZRANGE … REV`: by score and then by the bytes of the member, both from the end. */
function readBackwards(set: ReadonlyMap<string, number>): string[] {
  return [...set]
    .sort(([a, x], [b, y]) => y - x || Buffer.compare(Buffer.from(b), Buffer.from(a)))
    .map(([member]) => member);
}

test('after any changes the set holds the votes of what belongs to it, in the order of the leaderboard', () => {
  fc.assert(
    fc.property(fc.array(round, { maxLength: 6 }), (rounds) => {
      const written = createWrittenSet();
      const set = new Map<string, number>();
      for (const each of rounds) {
        apply(
          set,
          written.takeChanges((visit) => [...standingsOf(each)].forEach((standing) => visit(...standing))),
        );
        const top = createTopStandings(100);
        for (const [poll, optionNo, votes] of standingsOf(each)) if (votes > 0) top.offer(poll.pollNo, optionNo, votes);
        const expected = top.list().map(({ pollNo, optionNo }) => {
          const poll = polls.find((candidate) => candidate.pollNo === pollNo);
          return poll === undefined ? '' : toMember(poll, optionNo);
        });
        expect(readBackwards(set)).toEqual(expected);
      }
    }),
    { numRuns: 200 },
  );
});

test('what has not changed is not written again, unless it was forgotten', () => {
  const written = createWrittenSet();
  const visitAll = (visit: (poll: Poll, optionNo: number, votes: number) => void) =>
    polls.forEach((poll) => visit(poll, 1, 7));
  expect(written.takeChanges(visitAll).votes).toHaveLength(5);
  expect(written.takeChanges(visitAll)).toEqual({ votes: [], gone: [] });
  written.forget();
  expect(written.takeChanges(visitAll).votes).toHaveLength(5);
});
