/** `hustings migrate`: brings the tables of the database up to date and ends. */
import type { Config } from '../config.ts';
import { openLedger, type LedgerOptions } from '../open-ledger.ts';

export async function migrateAlone(config: Config, options: LedgerOptions): Promise<string> {
  const ledger = await openLedger(config, options);
  await ledger.close();
  if (ledger.migrated.length === 0) return 'The tables are up to date.';
  return [`${ledger.migrated.length} migrations ran:`, ...ledger.migrated.map((name) => `  ${name}`)].join('\n');
}
