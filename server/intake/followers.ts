/**
 * Ballots that wait until an earlier ballot of their voter is decided. Segments in hand are few, and what a ballot waits for may be further back in
 * the log than those: so only so many segments may hold ballots that wait, and the log goes on whatever they wait for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { toUuidText } from '../lib/uuid-v7.ts';

export type Followers = {
  /** Resolves when the ledger has an outcome for the ballot, or when it is waited for no longer. `segment` stands for the one that has to wait. */
  awaitDecision(ballotId: Buffer, segment: object): Promise<void>;
};

export type FollowersParts = {
  /** Those of these ballots that the ledger has an outcome for. */
  readonly findDecided: (ballotIds: readonly string[]) => Promise<readonly string[]>;
  /** At one more, the ballots of the segment that has waited longest go on. */
  readonly segmentsMax: number;
};

/** Longer than a segment takes that its worker has left behind. */
const followMsMax = 12_000;
/** Between two looks into the ledger. One look serves everybody, or so many of them in turn. */
const lookMs = 10;
const lookBallotsMax = 1_000;

type Follower = {
  readonly ballotId: string;
  readonly segment: object;
  readonly until: number;
  readonly resolve: () => void;
};

export function createFollowers({ findDecided, segmentsMax }: FollowersParts): Followers {
  /** Those who were looked at last stand last. */
  let followers: Follower[] = [];
  /** Their segments, the one that has waited longest first, and how many followers each has. */
  const segments = new Map<object, number>();
  let looking = false;

  async function look(): Promise<void> {
    looking = true;
    while (followers.length > 0) {
      const asked = new Set(followers.slice(0, lookBallotsMax));
      // A ledger that does not answer says nothing, and nothing can be recorded meanwhile.
      const found = await findDecided([...new Set(Array.from(asked, ({ ballotId }) => ballotId))]).catch(() => null);
      if (found !== null) {
        const [decided, now] = [new Set(found), performance.now()];
        letGo(({ ballotId, until }) => decided.has(ballotId) || now >= until);
        followers = [...followers.filter((each) => !asked.has(each)), ...followers.filter((each) => asked.has(each))];
      }
      await sleep(lookMs, undefined, { ref: false });
    }
    looking = false;
  }

  function letGo(goes: (follower: Follower) => boolean): void {
    const { gone = [], stay = [] } = Object.groupBy(followers, (follower) => (goes(follower) ? 'gone' : 'stay'));
    followers = stay;
    for (const { segment, resolve } of gone) {
      const left = (segments.get(segment) ?? 1) - 1;
      if (left === 0) segments.delete(segment);
      else segments.set(segment, left);
      resolve();
    }
  }

  return {
    awaitDecision(ballotId, segment) {
      return new Promise((resolve) => {
        followers.push({
          ballotId: toUuidText(ballotId),
          segment,
          until: performance.now() + followMsMax,
          resolve,
        });
        segments.set(segment, (segments.get(segment) ?? 0) + 1);
        const [longest] = segments.keys();
        if (segments.size > segmentsMax) letGo((follower) => follower.segment === longest);
        if (!looking) void look();
      });
    },
  };
}
