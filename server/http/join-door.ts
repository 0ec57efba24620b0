/** Joining by code: whoever tries many codes that do not exist is kept from trying more. */
import { AppError } from '../errors.ts';
import type { JoinCodes } from '../ledger/join-codes.ts';
import type { RateLimit } from '../ops/rate-limit.ts';
import { toJoinCode } from '../poll/names.ts';
import type { Poll } from '../poll/poll.ts';

export type JoinDoor = {
  /** The poll with the code that somebody at this address typed; null where there is none. @throws {AppError} `rate_limited` */
  find(typed: string, address: string): Promise<Poll | null>;
};

export type JoinDoorParts = {
  readonly codes: JoinCodes;
  /** Codes that do not exist, by address. The others are not counted: a whole venue may come from one address. */
  readonly misses: RateLimit;
};

export function createJoinDoor({ codes, misses }: JoinDoorParts): JoinDoor {
  return {
    async find(typed, address) {
      // Even a code that exists is not told then: a guesser would know it by that.
      refuse(await misses.look(address));
      const poll = await codes.find(toJoinCode(typed));
      if (poll === null) refuse(await misses.take(address));
      return poll;
    },
  };
}

function refuse(seconds: number): void {
  if (seconds === 0) return;
  throw new AppError(
    'rate_limited',
    `Too many codes that do not exist came from your address. Try again in ${seconds} s.`,
    {
      retryAfterSeconds: seconds,
    },
  );
}
