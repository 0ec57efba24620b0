/** `hustings verify`: counts the ledger afresh and compares the count with every tally. */
import type { Config } from '../config.ts';
import { lookAtEmbeddedPostgres } from '../ledger/embedded/join.ts';
import { findTallyMismatches, type TallyMismatch } from '../ledger/tallies.ts';
import { openLedger, type LedgerOptions } from '../open-ledger.ts';

/** On an embedded database that a server uses, it looks beside that. Answers the report, and whether ledger and tallies agree. */
export async function verify(config: Config, options: LedgerOptions): Promise<{ agree: boolean; report: string }> {
  const ledger = await openLedger(config, { ...options, joins: await isInUse(config) });
  try {
    const mismatches = await findTallyMismatches(ledger.pool);
    return { agree: mismatches.length === 0, report: toMismatchLines(mismatches).join('\n') };
  } finally {
    await ledger.close();
  }
}

/** Whether a server runs on the embedded database. @throws {Error} where there is none: nothing is made to be verified */
async function isInUse({ database, dataFolder }: Config): Promise<boolean> {
  if (database.kind !== 'embedded') return false;
  const { clusterFolder, runs } = await lookAtEmbeddedPostgres(dataFolder);
  if (clusterFolder === null) throw new Error(`There is no database in ${dataFolder}, so there is nothing to verify.`);
  return runs;
}

export function toMismatchLines(mismatches: readonly TallyMismatch[]): string[] {
  if (mismatches.length === 0) return ['Every tally equals the count over the ledger.'];
  const lines = mismatches.map(
    ({ poll, option, tallied, counted }) =>
      `${poll}, option ${option ?? '(blank)'}: tally ${tallied}, ledger ${counted}`,
  );
  return ['Tallies differ from the ledger:', ...lines];
}
