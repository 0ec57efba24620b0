/** Whether the process can do its work, in words for people and probes. */

export type Readiness = { readonly ready: true } | { readonly ready: false; readonly reasons: readonly string[] };

export type Health = {
  check(): Promise<Readiness>;
  /** From now on the process is not ready: it finishes what it has and takes nothing new. */
  beginDrain(): void;
  draining(): boolean;
};

export type HealthParts = {
  /** Resolves when the ledger answers. */
  readonly askLedger: () => Promise<unknown>;
  /** For how long recording has failed, in milliseconds. */
  readonly recorderAwayMs: () => number;
  /** For how long the broker of the ingest log has not answered, in milliseconds. */
  readonly logAwayMs: () => number;
  /** How long the ledger may take to answer. */
  readonly answerMsMax?: number;
};

export function createHealth({ askLedger, recorderAwayMs, logAwayMs, answerMsMax = 2_000 }: HealthParts): Health {
  let draining = false;

  async function ledgerAnswers(): Promise<boolean> {
    const timedOut = AbortSignal.timeout(answerMsMax);
    const givenUp = new Promise<boolean>((resolve) => {
      timedOut.addEventListener('abort', () => resolve(false), { once: true });
    });
    const answered = askLedger().then(
      () => true,
      () => false,
    );
    return Promise.race([answered, givenUp]);
  }

  return {
    async check() {
      const reasons: string[] = [];
      if (draining) reasons.push('The server is shutting down.');
      if (recorderAwayMs() > 0) reasons.push(`Recording has failed for ${Math.round(recorderAwayMs())} ms.`);
      if (logAwayMs() > 0) reasons.push(`The ingest log has not answered for ${Math.round(logAwayMs())} ms.`);
      if (!(await ledgerAnswers())) reasons.push(`The ledger did not answer within ${answerMsMax} ms.`);
      return reasons.length === 0 ? { ready: true } : { ready: false, reasons };
    },
    beginDrain() {
      draining = true;
    },
    draining: () => draining,
  };
}
