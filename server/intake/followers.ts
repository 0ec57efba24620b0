/**
 * Ballots that wait until an earlier ballot of their voter is decided. Segments in hand are few, and what a ballot waits for may be further back in
 * the log than those: so only so many ballots wait at a time, and the log goes on whatever they wait for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { toUuidText } from '../lib/uuid-v7.ts';

export type Followers = {
  /** Resolves when the ledger has an outcome for the ballot, or when it is waited for no longer. */
  awaitDecision(ballotId: Buffer): Promise<void>;
};

export type FollowersParts = {
  /** Those of these ballots that the ledger has an outcome for. */
  readonly findDecided: (ballotIds: readonly string[]) => Promise<readonly string[]>;
  /** At one more, the one that has waited longest goes on. */
  readonly followersMax: number;
};

/** Longer than a segment takes that its worker has left behind. */
const followMsMax = 12_000;
/** Between two looks into the ledger. One look serves everybody. */
const lookMs = 10;

type Follower = { readonly ballotId: string; readonly until: number; readonly resolve: () => void };

export function createFollowers({ findDecided, followersMax }: FollowersParts): Followers {
  let followers: Follower[] = [];
  let looking = false;

  async function look(): Promise<void> {
    looking = true;
    while (followers.length > 0) {
      // A ledger that does not answer says nothing, and nothing can be recorded meanwhile.
      const found = await findDecided([...new Set(followers.map(({ ballotId }) => ballotId))]).catch(() => null);
      if (found !== null) letGo(new Set(found));
      await sleep(lookMs, undefined, { ref: false });
    }
    looking = false;
  }

  function letGo(decided: ReadonlySet<string>): void {
    const now = performance.now();
    const stays = ({ ballotId, until }: Follower): boolean => !decided.has(ballotId) && now < until;
    const gone = followers.filter((follower) => !stays(follower));
    followers = followers.filter(stays);
    for (const { resolve } of gone) resolve();
  }

  return {
    awaitDecision(ballotId) {
      return new Promise((resolve) => {
        followers.push({ ballotId: toUuidText(ballotId), until: performance.now() + followMsMax, resolve });
        if (followers.length > followersMax) followers.shift()?.resolve();
        if (!looking) void look();
      });
    },
  };
}
