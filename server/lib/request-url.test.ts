import { expect, test } from 'vitest';
import { toRequestUrl } from './request-url.ts';

test.for([
  ['/p/x?lang=de', '/p/x', 'de'],
  ['//', '//', null],
  ['//x:99999999/?lang=de', '//x:99999999/', 'de'],
  ['///x:y', '///x:y', null],
  ['http://vote.example.org/p/x?lang=de', '/p/x', 'de'],
  ['http://[', '/', null],
  ['*', '/*', null],
] as const)('%s has the path %s', ([target, pathname, lang]) => {
  const url = toRequestUrl(target);
  expect([url.pathname, url.searchParams.get('lang')]).toEqual([pathname, lang]);
});
