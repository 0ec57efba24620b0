import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Ways to read an address past the proxies that are trusted, or what a client says of itself. */
const shortcuts =
  /\.remoteAddress\b|\.handshake\.address\b|\b(?:request|req)\.ips?\b|['"]x-forwarded-|['"]forwarded['"]/u;
const reader = 'server/lib/forwarding.ts';

test('who a client is stands in one file, so that every limit counts the same address', () => {
  const files = globSync('server/**/*.ts', { cwd: root }).map((file) => file.replaceAll('\\', '/'));
  const reading = files.filter(
    (file) => !file.endsWith('.test.ts') && shortcuts.test(readFileSync(`${root}/${file}`, 'utf8')),
  );
  expect(reading).toEqual([reader]);
});
