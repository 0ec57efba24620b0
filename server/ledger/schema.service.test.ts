import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { readSchemaText } from '../../scripts/schema-text.ts';
import { openTestLedger } from '../../test/support/ledger.ts';

test('schema.sql is what the migrations make; node scripts/dump-schema.ts writes it', async () => {
  const { pool } = await openTestLedger();
  const [, ...written] = (await readFile(new URL('schema.sql', import.meta.url), 'utf8')).split('\n\n');
  expect(written.join('\n\n')).toBe(await readSchemaText(pool));
});
