import { expect, test } from 'vitest';
import { toQuickId } from './quick-id.ts';

test('ids differ and share what stands for their process', () => {
  const ids = Array.from({ length: 1_000 }, toQuickId);
  expect(new Set(ids).size).toBe(1_000);
  expect(ids.every((id) => /^[\w-]{8}-[0-9a-z]+$/u.test(id))).toBe(true);
  expect(new Set(ids.map((id) => id.slice(0, 8))).size).toBe(1);
});
