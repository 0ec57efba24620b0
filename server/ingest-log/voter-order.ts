/**
 * Which earlier ballot of its voter a ballot must not overtake on its way to the ledger. Where ballots do not replace each other the first
 * counts, and two segments may be recorded by two workers in any order: so the later ballot names the earlier one, and its worker waits until
 * that is decided. Known are the voters of this process of late; of two ballots that two processes accept, the first recorded counts.
 */
import type { Ballot } from '../poll/ballot.ts';

export type VoterOrder = {
  /** The id of the first ballot of this voter that is remembered; null where this is the first, and where the order does not matter. */
  take(ballot: Ballot): Buffer | null;
  /** The log may not have the ballot: nobody waits for it. */
  forget(ballot: Pick<Ballot, 'voterKey' | 'id'> & { readonly poll: Pick<Ballot['poll'], 'pollNo'> }): void;
};

/** Voters remembered, twice at most. */
const votersMax = 100_000;

export function createVoterOrder(): VoterOrder {
  let recent = new Map<string, Buffer>();
  let former = new Map<string, Buffer>();
  return {
    take({ poll, voterKey, id }) {
      // Ballots that replace each other carry their order; without voters there is none.
      if (poll.revote === 'replace' || poll.electorate === 'open') return null;
      const key = toKey({ poll, voterKey });
      const first = recent.get(key) ?? former.get(key);
      if (first !== undefined) return first.equals(id) ? null : first;
      if (recent.size >= votersMax) {
        former = recent;
        recent = new Map();
      }
      recent.set(key, id);
      return null;
    },
    forget({ poll, voterKey, id }) {
      const key = toKey({ poll, voterKey });
      for (const voters of [recent, former]) if (voters.get(key)?.equals(id) === true) voters.delete(key);
    },
  };
}

function toKey({ poll, voterKey }: Pick<Ballot, 'voterKey'> & { poll: Pick<Ballot['poll'], 'pollNo'> }): string {
  return `${poll.pollNo} ${voterKey.toString('latin1')}`;
}
