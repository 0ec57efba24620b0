import { expect, test } from 'vitest';
import { makePoll } from '../poll/test-support.ts';
import { createBrowserCookies } from './browser-cookies.ts';

const cookies = createBrowserCookies(Buffer.alloc(32, 1), { secure: false });
const poll = makePoll();

/** What a browser sends back. */
const toHeader = (setCookie: string): string => setCookie.split(';', 1)[0] ?? '';

test('a cookie of ours names its voter', () => {
  const voterId = cookies.drawVoterId();
  expect(Buffer.from(voterId, 'base64url')).toHaveLength(16);
  expect(cookies.voterOf(`other=1; ${toHeader(cookies.toVoterCookie(voterId))}; last=2`)).toBe(voterId);
  expect(cookies.drawVoterId()).not.toBe(voterId);
});

test('a cookie that we did not make names nobody', () => {
  const value = toHeader(cookies.toVoterCookie('alice'));
  const foreign = toHeader(createBrowserCookies(Buffer.alloc(32, 2), { secure: false }).toVoterCookie('alice'));
  const made = ['', 'voter_id=', 'voter_id=alice', 'voter_id=alice.', 'voter_id=.', foreign, `${value}x`];
  for (const header of [undefined, ...made, value.replace('alice', 'bob')]) {
    expect(cookies.voterOf(header)).toBeNull();
  }
});

test('a manage cookie is for its poll and its key alone, and holds no key', () => {
  const header = toHeader(cookies.toManageCookie(poll));
  expect(cookies.managesPoll(header, poll)).toBe(true);
  expect(cookies.managesPoll(header, makePoll({ pollNo: 2 }))).toBe(false);
  expect(cookies.managesPoll(header, { ...poll, manageKeyHash: Buffer.alloc(32, 7) })).toBe(false);
  expect(cookies.managesPoll(undefined, poll)).toBe(false);
  const [name] = header.split('=');
  const voter = toHeader(cookies.toVoterCookie(`${poll.id}:0000000000000000`)).split('=')[1];
  expect(cookies.managesPoll(`${name}=${voter}`, poll)).toBe(false);
});

test('over HTTPS the cookies are bound to the host, and those of plain HTTP are not read', () => {
  const secure = createBrowserCookies(Buffer.alloc(32, 1), { secure: true });
  expect(secure.toVoterCookie('v')).toMatch(
    /^__Host-voter_id=[^;]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure$/u,
  );
  expect(cookies.toVoterCookie('v')).toMatch(/^voter_id=[^;]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/u);
  expect(secure.toManageCookie(poll)).toMatch(/^__Host-manage_[\da-f]{32}=/u);
  expect(secure.voterOf(toHeader(cookies.toVoterCookie('v')))).toBeNull();
  expect(secure.toForgottenManageCookie(poll)).toContain('Max-Age=0;');
});
