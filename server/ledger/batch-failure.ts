/** Why a batch was not recorded, and whether that is certain. */
import pg from 'pg';
import type { Recorded } from '../errors.ts';

export class BatchFailed extends Error {
  /** `no`: nothing of the batch is in the ledger. `unknown`: all of it is, or nothing. */
  readonly recorded: Exclude<Recorded, 'yes'>;

  constructor(recorded: Exclude<Recorded, 'yes'>, cause: unknown) {
    super('The batch was not recorded.', { cause });
    this.name = 'BatchFailed';
    this.recorded = recorded;
  }

  /** Whether something in the batch itself is to blame, so that another attempt fails as well. */
  get isUnrecordable(): boolean {
    const { cause, recorded } = this;
    return recorded === 'no' && cause instanceof pg.DatabaseError && contentClasses.has(cause.code?.slice(0, 2) ?? '');
  }
}

/** Classes of SQLSTATE that tell of wrong data (22) and of broken constraints (23). */
const contentClasses: ReadonlySet<string> = new Set(['22', '23']);

/**
 * Classes of SQLSTATE that PostgreSQL reports while a statement runs, which undoes its transaction: wrong data (22, 23), an invalid
 * transaction or a conflict (25, 40), a missing object (42), no resources (53), a limit (54), a lock that was not had (55), a cancelled statement (57014).
 * Everything else, first of all the system's own errors (58, XX) and a shutdown (57P), may strike while the commit is under way.
 */
const undoneClasses: ReadonlySet<string> = new Set(['22', '23', '25', '40', '42', '53', '54', '55']);
const statementCancelled = '57014';
/** statement_completion_unknown: the one code of its class that says the opposite of the others. */
const completionUnknown = '40003';

/** What is certain after this error of a query: a refused statement changed nothing, a lost answer says nothing. */
export function recordedAfter(error: unknown): 'no' | 'unknown' {
  if (!(error instanceof pg.DatabaseError) || error.severity !== 'ERROR' || error.code === undefined) return 'unknown';
  if (error.code === completionUnknown) return 'unknown';
  return undoneClasses.has(error.code.slice(0, 2)) || error.code === statementCancelled ? 'no' : 'unknown';
}
