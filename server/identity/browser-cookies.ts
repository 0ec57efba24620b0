/**
 * The cookies of this server. One stands for a browser as a voter: a random 128-bit id with a signature, so that made-up ids are
 * refused. The other says of which polls the browser has shown the manage key; the keys themselves are not in it. It is one
 * for all of them, because a hundred cookies would fill the headers that a server reads.
 *
 * Over HTTPS they are `Secure` and carry the `__Host-` prefix, which keeps other hosts of the domain from setting them
 * (draft-ietf-httpbis-rfc6265bis, section 4.1.3).
 */
import { createHmac, randomBytes } from 'node:crypto';
import { Signer } from '@fastify/cookie';
import { parseCookie } from 'cookie';
import type { Poll } from '../poll/poll.ts';

type Managed = Pick<Poll, 'id' | 'manageKeyHash'>;

export type BrowserCookies = {
  /** The voter that a Cookie header names; null where it names none, or one that was not signed by this installation. */
  voterOf(header: string | undefined): string | null;
  /** The value of a Set-Cookie header that makes the browser this voter. */
  toVoterCookie(voterId: string): string;
  drawVoterId(): string;
  /** Whether a Cookie header shows that its browser held the manage key of this poll. */
  managesPoll(header: string | undefined, poll: Managed): boolean;
  /** Adds the poll to those that the browser of this header manages. Of too many the one added first is left out. */
  toManageCookie(header: string | undefined, poll: Managed): string;
  /** Takes the poll away from them. */
  toForgottenManageCookie(header: string | undefined, poll: Managed): string;
};

/** 400 days, the most that browsers keep. */
const voterCookieSecondsMax = 400 * 24 * 60 * 60;
const manageCookieSecondsMax = 30 * 24 * 60 * 60;
/** Each takes 23 characters, and a browser's headers may have 16 KiB in all. */
const managedPollsMax = 40;
const proofBytes = 16;

export function createBrowserCookies(secret: Buffer, { secure }: { readonly secure: boolean }): BrowserCookies {
  const voters = new Signer(secret.toString('hex'));
  const prefix = secure ? '__Host-' : '';
  const voterName = `${prefix}voter_id`;
  const manageName = `${prefix}manages`;

  function toSetCookie(name: string, value: string, secondsMax: number): string {
    const attributes = `Path=/; Max-Age=${secondsMax}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
    return `${name}=${encodeURIComponent(value)}; ${attributes}`;
  }

  function read(header: string | undefined, name: string): string | undefined {
    return header === undefined ? undefined : parseCookie(header)[name];
  }

  /** Nobody without the secret can make it; a poll with another key has another one. */
  function toProof({ id, manageKeyHash }: Managed): string {
    const proof = createHmac('sha256', secret).update(`manages ${id} `).update(manageKeyHash).digest();
    return proof.toString('base64url', 0, proofBytes);
  }

  function otherProofs(header: string | undefined, proof: string): string[] {
    const proofs = (read(header, manageName) ?? '').split('.');
    return proofs.filter((each) => each !== proof && each !== '');
  }

  return {
    voterOf(header) {
      const value = read(header, voterName);
      if (value === undefined) return null;
      const unsigned = voters.unsign(value);
      return unsigned.valid ? unsigned.value : null;
    },
    toVoterCookie: (voterId) => toSetCookie(voterName, voters.sign(voterId), voterCookieSecondsMax),
    drawVoterId: () => randomBytes(16).toString('base64url'),
    managesPoll(header, poll) {
      const proofs = read(header, manageName);
      return proofs !== undefined && proofs.split('.').includes(toProof(poll));
    },
    toManageCookie(header, poll) {
      const proof = toProof(poll);
      const proofs = [...otherProofs(header, proof), proof].slice(-managedPollsMax);
      return toSetCookie(manageName, proofs.join('.'), manageCookieSecondsMax);
    },
    toForgottenManageCookie(header, poll) {
      const proofs = otherProofs(header, toProof(poll));
      return toSetCookie(manageName, proofs.join('.'), proofs.length === 0 ? 0 : manageCookieSecondsMax);
    },
  };
}
