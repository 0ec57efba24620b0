/** Since when the ledger does not answer, as those see it who write to it. */

export type LedgerAbsence = {
  /** The ledger did not answer. Its absence began with the first such failure. */
  begin(): void;
  /** It answered. */
  end(): void;
  /** For how long it has been away, in milliseconds; 0 while it is there. */
  ms(): number;
};

export function createLedgerAbsence(): LedgerAbsence {
  let since: number | null = null;
  return {
    begin() {
      since ??= performance.now();
    },
    end() {
      since = null;
    },
    ms: () => (since === null ? 0 : performance.now() - since),
  };
}
