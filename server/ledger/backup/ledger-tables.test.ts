import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { ledgerTables } from './ledger-tables.ts';

const schema = await readFile(new URL('../schema.sql', import.meta.url), 'utf8');

test('a backup holds every table of the schema', () => {
  const tables = [...schema.matchAll(/^create table (\S+) \(/gmu)].map(([, name]) => String(name));
  expect(new Set(tables)).toEqual(new Set<string>(ledgerTables));
});

test('a table comes before those that refer to it', () => {
  for (const [, table = '', body = ''] of schema.matchAll(/^create table (\S+) \(\n([\s\S]*?)\n\)/gmu)) {
    for (const [, other = ''] of body.matchAll(/REFERENCES (\w+)\(/gu)) {
      expect(ledgerTables.findIndex((name) => name === other)).toBeLessThan(
        ledgerTables.findIndex((name) => name === table),
      );
    }
  }
});
