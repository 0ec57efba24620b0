/** The cookie that stands for one browser: a random 128-bit id with a signature, so that made-up ids are refused. */
import { Signer } from '@fastify/cookie';
import { randomBytes } from 'node:crypto';

export const voterCookieName = 'voter_id';
/** 400 days, the most that browsers keep. */
export const voterCookieSecondsMax = 400 * 24 * 60 * 60;

export type VoterCookies = {
  /** The voter's id in a cookie's value; null where the value is missing or was not signed by this installation. */
  parse(value: string | undefined): string | null;
  sign(voterId: string): string;
  drawVoterId(): string;
};

export function createVoterCookies(secret: Buffer): VoterCookies {
  const signer = new Signer(secret.toString('hex'));
  return {
    parse(value) {
      if (value === undefined) return null;
      const unsigned = signer.unsign(value);
      return unsigned.valid ? unsigned.value : null;
    },
    sign: (voterId) => signer.sign(voterId),
    drawVoterId: () => randomBytes(16).toString('base64url'),
  };
}
