import { expect, test } from 'vitest';
import { chooseLanguage } from './language.ts';

test.for([
  [null, undefined, 'en'],
  [null, 'de', 'de'],
  [null, 'de-AT,de;q=0.9,en;q=0.8', 'de'],
  [null, 'fr, en;q=0.5, de;q=0.7', 'de'],
  [null, 'fr', 'en'],
  [null, 'de;q=0', 'en'],
  [null, ';;;,,', 'en'],
  [null, 'DE', 'de'],
  ['de', 'en', 'de'],
  ['xx', 'de', 'de'],
] as const)('asked for %j with Accept-Language %j the page is in %s', ([asked, header, language]) => {
  expect(chooseLanguage(asked, header)).toBe(language);
});
