/**
 * Why the embedded PostgreSQL cannot be used.
 *
 * - `folder_in_use`: another Hustings holds the data folder.
 * - `folder_unusable`: the data folder cannot be read or written, or holds something else.
 * - `other_version`: the cluster was written by another major version of PostgreSQL.
 * - `binaries_unusable`: there are no PostgreSQL binaries for this machine, or they do not run here.
 * - `start_failed`: initdb or the server ended; the message carries the tail of what it said.
 */
export type EmbeddedPostgresErrorCode =
  | 'folder_in_use'
  | 'folder_unusable'
  | 'other_version'
  | 'binaries_unusable'
  | 'start_failed';

/** The message is written for the operator: its first line says what is wrong and what to do. */
export class EmbeddedPostgresError extends Error {
  readonly code: EmbeddedPostgresErrorCode;

  constructor(code: EmbeddedPostgresErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EmbeddedPostgresError';
    this.code = code;
  }
}

/** The system's error code, such as `ENOENT`, or undefined for errors of other kinds. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Runs a step and takes the listed system errors as an answer, such as `ENOENT` for "not there". */
export async function unlessSystemCode<Value, Otherwise>(
  codes: readonly string[],
  otherwise: Otherwise,
  step: () => Promise<Value>,
): Promise<Value | Otherwise> {
  try {
    return await step();
  } catch (error) {
    const code = systemCode(error);
    if (code !== undefined && codes.includes(code)) return otherwise;
    throw error;
  }
}

/** What is behind the words of PostgreSQL, for faults that an operator can see to. */
export function toReason(said: string): string | undefined {
  if (said.includes('No space left on device')) return 'the disk is full';
  if (said.includes('Read-only file system')) return 'the disk is read-only';
  return undefined;
}

/** Gives a file system error the name of the data folder and a way out. */
export function toFolderError(error: unknown, shownFolder: string): unknown {
  if (error instanceof EmbeddedPostgresError) return error;
  const code = systemCode(error);
  if (code === undefined || !(error instanceof Error)) return error;
  const reason = code === 'ENOSPC' ? 'the disk is full' : `this process may not use it as it is (${error.message})`;
  return new EmbeddedPostgresError(
    'folder_unusable',
    `cannot keep the database in ${shownFolder}: ${reason}; make room or change its owner, or choose another folder with --data`,
    { cause: error },
  );
}
