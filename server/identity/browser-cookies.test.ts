import type { IncomingHttpHeaders } from 'node:http';
import { expect, test } from 'vitest';
import { makePoll } from '../poll/test-support.ts';
import { createBrowserCookies } from './browser-cookies.ts';

const cookies = createBrowserCookies(Buffer.alloc(32, 1), { isSecure: () => false });
const poll = makePoll();

/** What a browser sends back. */
const toCookie = (setCookie: string): string => setCookie.split(';', 1)[0] ?? '';
const toHeaders = (setCookie: string): IncomingHttpHeaders => ({ cookie: toCookie(setCookie) });

test('a cookie of ours names its voter', () => {
  const voterId = cookies.drawVoterId();
  expect(Buffer.from(voterId, 'base64url')).toHaveLength(16);
  const cookie = `other=1; ${toCookie(cookies.toVoterCookie({}, voterId))}; last=2`;
  expect(cookies.voterOf({ cookie })).toBe(voterId);
  expect(cookies.drawVoterId()).not.toBe(voterId);
});

test('a cookie that we did not make names nobody', () => {
  const value = toCookie(cookies.toVoterCookie({}, 'alice'));
  const others = createBrowserCookies(Buffer.alloc(32, 2), { isSecure: () => false });
  const foreign = toCookie(others.toVoterCookie({}, 'alice'));
  const made = ['', 'voter_id=', 'voter_id=alice', 'voter_id=alice.', 'voter_id=.', foreign, `${value}x`];
  for (const cookie of [...made, value.replace('alice', 'bob')]) expect(cookies.voterOf({ cookie })).toBeNull();
  expect(cookies.voterOf({})).toBeNull();
});

test('a manage cookie is for its polls and their keys alone, and holds no key', () => {
  const headers = toHeaders(cookies.toManageCookie({}, poll));
  const other = makePoll({ pollNo: 2 });
  expect(cookies.managesPoll(headers, poll)).toBe(true);
  expect(cookies.managesPoll(headers, other)).toBe(false);
  expect(cookies.managesPoll(headers, { ...poll, manageKeyHash: Buffer.alloc(32, 7) })).toBe(false);
  expect(cookies.managesPoll({}, poll)).toBe(false);
  expect(cookies.managesPoll({ cookie: 'manages=' }, poll)).toBe(false);
  const both = toHeaders(cookies.toManageCookie(headers, other));
  expect([poll, other].map((each) => cookies.managesPoll(both, each))).toEqual([true, true]);
  const one = toHeaders(cookies.toForgottenManageCookie(both, poll));
  expect([poll, other].map((each) => cookies.managesPoll(one, each))).toEqual([false, true]);
  expect(cookies.toForgottenManageCookie(one, other)).toContain('Max-Age=0;');
});

test('who manages very many polls keeps the last ones, and headers that a server reads', () => {
  const polls = Array.from({ length: 300 }, (_, index) => makePoll({ pollNo: index + 1 }));
  let headers: IncomingHttpHeaders = {};
  for (const each of polls) headers = toHeaders(cookies.toManageCookie(headers, each));
  expect(headers.cookie?.length).toBeLessThan(1_100);
  expect(polls.filter((each) => cookies.managesPoll(headers, each))).toEqual(polls.slice(-40));
});

test('over HTTPS the cookies are bound to the host, and those of plain HTTP are not read', () => {
  const secure = createBrowserCookies(Buffer.alloc(32, 1), { isSecure: () => true });
  expect(secure.toVoterCookie({}, 'v')).toMatch(
    /^__Host-voter_id=[^;]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure$/u,
  );
  expect(cookies.toVoterCookie({}, 'v')).toMatch(/^voter_id=[^;]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/u);
  expect(secure.toManageCookie({}, poll)).toMatch(/^__Host-manages=[\w-]{22};/u);
  expect(secure.voterOf(toHeaders(cookies.toVoterCookie({}, 'v')))).toBeNull();
});

test('where each request tells how it came, its cookies go by that', () => {
  const told = createBrowserCookies(Buffer.alloc(32, 1), {
    isSecure: (headers) => headers['x-forwarded-proto'] === 'https',
  });
  const https = { 'x-forwarded-proto': 'https' };
  const cookie = toCookie(told.toVoterCookie(https, 'v'));
  expect(told.voterOf({ ...https, cookie })).toBe('v');
  expect(told.voterOf({ cookie })).toBeNull();
  expect(told.toVoterCookie({}, 'v')).toMatch(/^voter_id=[^;]+;(?!.*Secure)/u);
});
