/** Builds the pages into dist/ where they are older than their sources; one command at a time. */
export function buildMissingPages(options: {
  readonly root: string;
  /** The Node to build with. */
  readonly binary: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}): Promise<void>;
