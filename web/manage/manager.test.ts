import { expect, test } from 'vitest';
import { findManageKey } from './manager.ts';

const key = 'manage_AAAAAAAAAAAAAAAAAAAAAAAAAAA';

test.for([
  [key, key],
  [`http://localhost:8000/p/tea/manage#${key}`, key],
  [`  ${key}\n`, key],
  ['#manage_short', null],
  ['', null],
])('in %j the key is %j', ([text, found]) => {
  expect(findManageKey(text ?? '')).toBe(found);
});
