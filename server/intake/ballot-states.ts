/** What became of a ballot, for whoever holds its id: in the ledger, refused, or still on its way. */
import type { BallotOutcome, BallotStore } from '../ledger/ballots.ts';
import { isUuidText, toUuidBytes } from '../lib/uuid-v7.ts';

/** `received`: in the log. `validating`: with a worker of this process. Neither is in the ledger yet. */
export type BallotUnderWay = {
  readonly ballotId: string;
  readonly status: 'received' | 'validating';
  /** Milliseconds since 1970; null where the id does not tell it. */
  readonly castAt: number | null;
};

export type BallotState = BallotOutcome | BallotUnderWay;

export type BallotStates = {
  /** null: nobody cast a ballot with this id here. */
  read(ballotId: string): Promise<BallotState | null>;
  /**
   * Waits for the outcome of an acceptance, `msMax` at most; null where it did not come in time. A ballot that is accepted again under the same
   * key has the same id, and what became of it before says nothing: `acceptedAt` tells them apart. Milliseconds by the ledger's clock.
   */
  outcomeOf(ballotId: string, acceptedAt: number, msMax: number): Promise<BallotOutcome | null>;
};

export type BallotStatesParts = {
  readonly findOutcomes: BallotStore['findOutcomes'];
  readonly isOnItsWay: (ballotId: Buffer) => boolean;
  readonly holds: (ballotId: Buffer) => boolean;
  /** Whatever was accepted before this moment has its outcome in the ledger. */
  readonly settledThrough: () => number;
};

/** Between two looks into the ledger while somebody waits. One look serves everybody. */
const lookMs = 20;
const versionOffset = 6;

type Wait = {
  readonly ballotId: string;
  readonly acceptedAt: number;
  readonly until: number;
  readonly resolve: (ended: BallotOutcome | null) => void;
};

export function createBallotStates(parts: BallotStatesParts): BallotStates {
  const { findOutcomes, isOnItsWay, holds, settledThrough } = parts;
  let waits: Wait[] = [];
  let looking = false;

  async function look(): Promise<void> {
    looking = true;
    while (waits.length > 0) {
      await new Promise((resolve) => setTimeout(resolve, lookMs));
      const asked = new Set(waits.map(({ ballotId }) => ballotId));
      // Where the ledger does not answer, those who wait are told that nothing is known yet.
      const found = await findOutcomes([...asked]).catch(() => []);
      const endedById = new Map(found.map((ended) => [ended.ballotId, ended]));
      const now = performance.now();
      waits = waits.filter(({ ballotId, acceptedAt, until, resolve }) => {
        const ended = outcomeSince(endedById.get(ballotId), acceptedAt);
        if (ended === null && now < until) return true;
        resolve(ended);
        return false;
      });
    }
    looking = false;
  }

  return {
    async read(ballotId) {
      if (!isUuidText(ballotId)) return null;
      const [ended] = await findOutcomes([ballotId]);
      if (ended !== undefined) return ended;
      const id = toUuidBytes(ballotId);
      const castAt = toMoment(id);
      // What is settled and not in the ledger is gone: its poll was deleted, or the log never had it.
      if (!isOnItsWay(id) || (castAt !== null && castAt < settledThrough())) return null;
      return { ballotId: ballotId.toLowerCase(), status: holds(id) ? 'validating' : 'received', castAt };
    },
    outcomeOf(ballotId, acceptedAt, msMax) {
      return new Promise((resolve) => {
        waits.push({ ballotId, acceptedAt, until: performance.now() + msMax, resolve });
        if (!looking) void look();
      });
    },
  };
}

function outcomeSince(ended: BallotOutcome | undefined, acceptedAt: number): BallotOutcome | null {
  if (ended === undefined) return null;
  return ended.status === 'failed' && ended.castAt < acceptedAt ? null : ended;
}

/** The milliseconds in an id of version 7. */
function toMoment(id: Buffer): number | null {
  return (id[versionOffset] ?? 0) >> 4 === 7 ? id.readUIntBE(0, 6) : null;
}
