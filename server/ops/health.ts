/** Whether the process can do its work, in words for people and probes. */

/** What a process needs to do its work. */
export type HealthPart = 'ledger' | 'log' | 'board';

export type Readiness = {
  readonly ready: boolean;
  /** Why not; empty where it is ready. */
  readonly reasons: readonly string[];
  /** `ok`, or what is wrong with it. */
  readonly parts: Readonly<Record<HealthPart, string>>;
};

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
  /** Why, in a sentence that strangers may read; null where nobody knows. */
  readonly logAwayReason?: () => string | null;
  /** For how long it is not known that the board has everything that the ledger has, in milliseconds. */
  readonly boardStaleMs: () => number;
  /** How long the ledger may take to answer. */
  readonly answerMsMax?: number;
};

/** The board is compared with the ledger each second, and a reading of the whole ledger takes its time. */
const boardStaleMsMax = 10_000;

export function createHealth(parts: HealthParts): Health {
  const { askLedger, recorderAwayMs, logAwayMs, boardStaleMs, answerMsMax = 2_000 } = parts;
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

  async function lookAtLedger(): Promise<string[]> {
    const faults: string[] = [];
    if (recorderAwayMs() > 0) faults.push(`Recording has failed for ${Math.round(recorderAwayMs())} ms.`);
    if (!(await ledgerAnswers())) faults.push(`The ledger did not answer within ${answerMsMax} ms.`);
    return faults;
  }

  function lookAtLog(): string[] {
    if (logAwayMs() === 0) return [];
    const reason = parts.logAwayReason?.() ?? null;
    const away = `The ingest log has not answered for ${Math.round(logAwayMs())} ms`;
    return [reason === null ? `${away}.` : `${away}: ${reason}`];
  }

  function lookAtBoard(): string[] {
    const staleMs = Math.round(boardStaleMs());
    return staleMs > boardStaleMsMax ? [`The board has not been seen to have the whole ledger for ${staleMs} ms.`] : [];
  }

  return {
    async check() {
      const ledger = await lookAtLedger();
      const log = lookAtLog();
      const board = lookAtBoard();
      const reasons = [...(draining ? ['The server is shutting down.'] : []), ...log, ...ledger, ...board];
      const parts = { ledger: toText(ledger), log: toText(log), board: toText(board) };
      return { ready: reasons.length === 0, reasons, parts };
    },
    beginDrain() {
      draining = true;
    },
    draining: () => draining,
  };
}

function toText(faults: readonly string[]): string {
  return faults.length === 0 ? 'ok' : faults.join(' ');
}

/** What `/readyz` says, on whichever port. */
export function toReadinessBody({ ready, reasons, parts }: Readiness): object {
  return ready ? { status: 'ready', ...parts } : { status: 'not_ready', reasons, ...parts };
}
