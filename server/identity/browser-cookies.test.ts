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

test('a manage cookie is for its polls and their keys alone, and holds no key', () => {
  const header = toHeader(cookies.toManageCookie(undefined, poll));
  const other = makePoll({ pollNo: 2 });
  expect(cookies.managesPoll(header, poll)).toBe(true);
  expect(cookies.managesPoll(header, other)).toBe(false);
  expect(cookies.managesPoll(header, { ...poll, manageKeyHash: Buffer.alloc(32, 7) })).toBe(false);
  expect(cookies.managesPoll(undefined, poll)).toBe(false);
  expect(cookies.managesPoll('manages=', poll)).toBe(false);
  const both = toHeader(cookies.toManageCookie(header, other));
  expect([poll, other].map((each) => cookies.managesPoll(both, each))).toEqual([true, true]);
  const one = toHeader(cookies.toForgottenManageCookie(both, poll));
  expect([poll, other].map((each) => cookies.managesPoll(one, each))).toEqual([false, true]);
  expect(cookies.toForgottenManageCookie(one, other)).toContain('Max-Age=0;');
});

test('who manages very many polls keeps the last ones, and headers that a server reads', () => {
  const polls = Array.from({ length: 300 }, (_, index) => makePoll({ pollNo: index + 1 }));
  let header: string | undefined;
  for (const each of polls) header = toHeader(cookies.toManageCookie(header, each));
  expect(header?.length).toBeLessThan(1_100);
  expect(polls.filter((each) => cookies.managesPoll(header, each))).toEqual(polls.slice(-40));
});

test('over HTTPS the cookies are bound to the host, and those of plain HTTP are not read', () => {
  const secure = createBrowserCookies(Buffer.alloc(32, 1), { secure: true });
  expect(secure.toVoterCookie('v')).toMatch(
    /^__Host-voter_id=[^;]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure$/u,
  );
  expect(cookies.toVoterCookie('v')).toMatch(/^voter_id=[^;]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/u);
  expect(secure.toManageCookie(undefined, poll)).toMatch(/^__Host-manages=[\w-]{22};/u);
  expect(secure.voterOf(toHeader(cookies.toVoterCookie('v')))).toBeNull();
});
