/**
 * The cookies of this server. One stands for a browser as a voter: a random 128-bit id with a signature, so that made-up ids are
 * refused. The other says of which polls the browser has shown the manage key; the keys themselves are not in it. It is one
 * for all of them, because a hundred cookies would fill the headers that a server reads.
 *
 * Over HTTPS, which the headers of a request may have to tell, they are `Secure` and carry the `__Host-` prefix, which keeps other hosts of the domain from setting them
 * (draft-ietf-httpbis-rfc6265bis, section 4.1.3).
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Signer } from '@fastify/cookie';
import { parseCookie } from 'cookie';
import type { Poll } from '../poll/poll.ts';

type Managed = Pick<Poll, 'id' | 'manageKeyHash'>;

export type BrowserCookies = {
  /** The voter that the cookies of a request name; null where they name none, or one that was not signed by this installation. */
  voterOf(headers: IncomingHttpHeaders): string | null;
  /** The value of a Set-Cookie header that makes the browser this voter. */
  toVoterCookie(headers: IncomingHttpHeaders, voterId: string): string;
  drawVoterId(): string;
  /** Whether the cookies of a request show that its browser held the manage key of this poll. */
  managesPoll(headers: IncomingHttpHeaders, poll: Managed): boolean;
  /** Adds the poll to those that the browser manages. Of too many the one added first is left out. */
  toManageCookie(headers: IncomingHttpHeaders, poll: Managed): string;
  /** Takes the poll away from them. */
  toForgottenManageCookie(headers: IncomingHttpHeaders, poll: Managed): string;
};

/** 400 days, the most that browsers keep. */
const voterCookieSecondsMax = 400 * 24 * 60 * 60;
const manageCookieSecondsMax = 30 * 24 * 60 * 60;
/** Each takes 23 characters, and a browser's headers may have 16 KiB in all. */
const managedPollsMax = 40;
const proofBytes = 16;
const voterName = 'voter_id';
const manageName = 'manages';

export type CookieOptions = {
  /** Whether a request came over HTTPS, as its browser sees it. */
  readonly isSecure: (headers: IncomingHttpHeaders) => boolean;
};

export function createBrowserCookies(secret: Buffer, { isSecure }: CookieOptions): BrowserCookies {
  const voters = new Signer(secret.toString('hex'));

  function toSetCookie(headers: IncomingHttpHeaders, name: string, value: string, secondsMax: number): string {
    const attributes = `Path=/; Max-Age=${secondsMax}; HttpOnly; SameSite=Lax${isSecure(headers) ? '; Secure' : ''}`;
    return `${toFullName(headers, name)}=${encodeURIComponent(value)}; ${attributes}`;
  }

  function toFullName(headers: IncomingHttpHeaders, name: string): string {
    return isSecure(headers) ? `__Host-${name}` : name;
  }

  function read(headers: IncomingHttpHeaders, name: string): string | undefined {
    return headers.cookie === undefined ? undefined : parseCookie(headers.cookie)[toFullName(headers, name)];
  }

  /** Nobody without the secret can make it; a poll with another key has another one. */
  function toProof({ id, manageKeyHash }: Managed): string {
    const proof = createHmac('sha256', secret).update(`manages ${id} `).update(manageKeyHash).digest();
    return proof.toString('base64url', 0, proofBytes);
  }

  function otherProofs(headers: IncomingHttpHeaders, proof: string): string[] {
    const proofs = (read(headers, manageName) ?? '').split('.');
    return proofs.filter((each) => each !== proof && each !== '');
  }

  return {
    voterOf(headers) {
      const value = read(headers, voterName);
      if (value === undefined) return null;
      const unsigned = voters.unsign(value);
      return unsigned.valid ? unsigned.value : null;
    },
    toVoterCookie: (headers, voterId) => toSetCookie(headers, voterName, voters.sign(voterId), voterCookieSecondsMax),
    drawVoterId: () => randomBytes(16).toString('base64url'),
    managesPoll(headers, poll) {
      const proofs = read(headers, manageName);
      return proofs !== undefined && proofs.split('.').includes(toProof(poll));
    },
    toManageCookie(headers, poll) {
      const proof = toProof(poll);
      const proofs = [...otherProofs(headers, proof), proof].slice(-managedPollsMax);
      return toSetCookie(headers, manageName, proofs.join('.'), manageCookieSecondsMax);
    },
    toForgottenManageCookie(headers, poll) {
      const proofs = otherProofs(headers, toProof(poll));
      return toSetCookie(headers, manageName, proofs.join('.'), proofs.length === 0 ? 0 : manageCookieSecondsMax);
    },
  };
}
