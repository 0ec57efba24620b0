import { expect, test } from 'vitest';
import { isOurOrigin, isOwnPage, isSurelyOwnPage } from './origins.ts';

const host = 'vote.example:8000';
const options = { publicUrl: 'https://vote.example.org', corsOrigins: ['https://app.example'] };

test.for([
  [{}, true],
  [{ 'sec-fetch-site': 'same-origin', origin: 'https://whatever.example' }, true],
  [{ 'sec-fetch-site': 'none' }, true],
  [{ 'sec-fetch-site': 'same-site', origin: `http://${host}` }, false],
  [{ 'sec-fetch-site': 'cross-site' }, false],
  [{ origin: `http://${host}` }, true],
  [{ origin: 'https://vote.example.org' }, true],
  [{ origin: 'https://app.example' }, false],
  [{ origin: 'null' }, false],
] as const)('a request with %j comes from a page of ours: %j', ([headers, expected]) => {
  expect(isOwnPage({ host, ...headers }, options)).toBe(expected);
  const saysNothing = Object.keys(headers).length === 0;
  expect(isSurelyOwnPage({ host, ...headers }, options)).toBe(expected && !saysNothing);
});

test.for([
  [{}, true],
  [{ origin: `http://${host}` }, true],
  [{ origin: 'https://vote.example.org' }, true],
  [{ origin: 'https://app.example' }, true],
  [{ origin: 'https://evil.example' }, false],
  [{ origin: 'null' }, false],
] as const)('a WebSocket with %j may open: %j', ([headers, expected]) => {
  expect(isOurOrigin({ host, ...headers }, options)).toBe(expected);
  expect(isOurOrigin({ host, ...headers }, { ...options, corsOrigins: '*' })).toBe(true);
});

const told = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'seen.example' };

test.for([
  [{ ...told, origin: 'https://seen.example' }, true],
  [{ ...told, origin: 'http://seen.example' }, false],
  [{ ...told, origin: `https://${host}` }, false],
  [{ ...told, origin: 'https://vote.example.org' }, true],
  [{ 'x-forwarded-proto': 'https', origin: `https://${host}` }, true],
  [{ 'x-forwarded-proto': 'https', origin: `http://${host}` }, false],
  [{ 'x-forwarded-host': 'seen.example', origin: 'http://seen.example' }, true],
] as const)('where a proxy tells how the browser came, %j comes from a page of ours: %j', ([headers, expected]) => {
  expect(isOwnPage({ host, ...headers }, options)).toBe(expected);
  expect(isOurOrigin({ host, ...headers }, options)).toBe(expected);
});
