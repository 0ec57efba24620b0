/**
 * The cookies of this server. One stands for a browser as a voter: a random 128-bit id with a signature, so that made-up ids are
 * refused. The others say that a browser has shown the manage key of a poll; the key itself is not in them.
 *
 * Over HTTPS they are `Secure` and carry the `__Host-` prefix, which keeps other hosts of the domain from setting them
 * (draft-ietf-httpbis-rfc6265bis, section 4.1.3).
 */
import { hash, randomBytes } from 'node:crypto';
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
  toManageCookie(poll: Managed): string;
  /** Takes the same away again. */
  toForgottenManageCookie(poll: Managed): string;
};

/** 400 days, the most that browsers keep. */
const voterCookieSecondsMax = 400 * 24 * 60 * 60;
const manageCookieSecondsMax = 30 * 24 * 60 * 60;
const hashCharsInCookie = 16;

export function createBrowserCookies(secret: Buffer, { secure }: { readonly secure: boolean }): BrowserCookies {
  const voters = new Signer(secret.toString('hex'));
  // A secret of its own: no voter's cookie can be passed off as a manager's.
  const managers = new Signer(hash('sha256', `${secret.toString('hex')} manage`));
  const prefix = secure ? '__Host-' : '';
  const voterName = `${prefix}voter_id`;

  function nameOf({ id }: Managed): string {
    return `${prefix}manage_${id.replaceAll('-', '')}`;
  }

  function toSetCookie(name: string, value: string, secondsMax: number): string {
    const attributes = `Path=/; Max-Age=${secondsMax}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
    return `${name}=${encodeURIComponent(value)}; ${attributes}`;
  }

  function read(header: string | undefined, name: string, signer: Signer): string | null {
    const value = header === undefined ? undefined : parseCookie(header)[name];
    if (value === undefined) return null;
    const unsigned = signer.unsign(value);
    return unsigned.valid ? unsigned.value : null;
  }

  return {
    voterOf: (header) => read(header, voterName, voters),
    toVoterCookie: (voterId) => toSetCookie(voterName, voters.sign(voterId), voterCookieSecondsMax),
    drawVoterId: () => randomBytes(16).toString('base64url'),
    managesPoll: (header, poll) => read(header, nameOf(poll), managers) === toProof(poll),
    toManageCookie: (poll) => toSetCookie(nameOf(poll), managers.sign(toProof(poll)), manageCookieSecondsMax),
    toForgottenManageCookie: (poll) => toSetCookie(nameOf(poll), '', 0),
  };
}

/** The poll and a piece of the key's hash: a poll with another key has another proof. */
function toProof({ id, manageKeyHash }: Managed): string {
  return `${id}:${manageKeyHash.toString('hex').slice(0, hashCharsInCookie)}`;
}
