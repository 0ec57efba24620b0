/** What became of a ballot, for whoever holds its id: in the ledger, refused, or still on its way. */
import type { BallotStore, LedgerBallot, RefusedBallot } from '../ledger/ballots.ts';
import { isUuidText, toUuidBytes } from '../lib/uuid-v7.ts';

/** `received`: in the log. `validating`: with a worker of this process. Neither is in the ledger yet. */
export type BallotUnderWay = {
  readonly ballotId: string;
  readonly status: 'received' | 'validating';
  /** Milliseconds since 1970; null where the id does not tell it. */
  readonly castAt: number | null;
};

export type BallotEnded = LedgerBallot | RefusedBallot;
export type BallotState = BallotEnded | BallotUnderWay;

export type BallotStates = {
  /** null: nobody cast a ballot with this id here. */
  read(ballotId: string): Promise<BallotState | null>;
  /** Waits for the outcome, `msMax` at most; null where it did not come in time. */
  outcomeOf(ballotId: string, msMax: number): Promise<BallotEnded | null>;
};

export type BallotStatesParts = {
  readonly findOutcomes: BallotStore['findOutcomes'];
  readonly isOnItsWay: (ballotId: Buffer) => boolean;
  readonly holds: (ballotId: Buffer) => boolean;
};

/** Between two looks into the ledger while somebody waits. One look serves everybody. */
const lookMs = 20;
const versionOffset = 6;

type Wait = {
  readonly ballotId: string;
  readonly until: number;
  readonly resolve: (ended: BallotEnded | null) => void;
};

export function createBallotStates({ findOutcomes, isOnItsWay, holds }: BallotStatesParts): BallotStates {
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
      waits = waits.filter(({ ballotId, until, resolve }) => {
        const ended = endedById.get(ballotId);
        if (ended === undefined && now < until) return true;
        resolve(ended ?? null);
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
      if (!isOnItsWay(id)) return null;
      return { ballotId: ballotId.toLowerCase(), status: holds(id) ? 'validating' : 'received', castAt: toMoment(id) };
    },
    outcomeOf(ballotId, msMax) {
      return new Promise((resolve) => {
        waits.push({ ballotId, until: performance.now() + msMax, resolve });
        if (!looking) void look();
      });
    },
  };
}

/** The milliseconds in an id of version 7. */
function toMoment(id: Buffer): number | null {
  return (id[versionOffset] ?? 0) >> 4 === 7 ? id.readUIntBE(0, 6) : null;
}
