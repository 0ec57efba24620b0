/** What became of an accepted ballot: asked for again and again until it is certain. */
import { useEffect } from 'preact/hooks';
import type { BallotStatus } from '../../protocol/ballot.ts';

export type BallotOutcome = BallotStatus & { readonly status: 'counted' | 'superseded' | 'failed' };

const answerMsMax = 15_000;
const firstPauseMs = 500;
const pauseMsMax = 10_000;
const growth = 1.5;

/** `ballotId` null: nothing is to be asked. `onOutcome` is called once for each ballot. */
export function useBallotOutcome(ballotId: string | null, onOutcome: (outcome: BallotOutcome) => void): void {
  useEffect(() => (ballotId === null ? undefined : followBallot(ballotId, onOutcome)), [ballotId]);
}

/** Asks at longer and longer intervals, and at once when somebody looks at the page again or is back online. Answers how to stop. */
export function followBallot(ballotId: string, onOutcome: (outcome: BallotOutcome) => void): () => void {
  let stopped = false;
  let asks = 0;
  let pausing: ReturnType<typeof setTimeout> | undefined;

  function pause(): void {
    pausing = setTimeout(askNow, toAskPauseMs(asks, Math.random()));
  }

  function askNow(): void {
    // A page that nobody looks at goes on when somebody does.
    if (pausing === undefined || document.hidden) return;
    clearTimeout(pausing);
    pausing = undefined;
    void ask();
  }

  async function ask(): Promise<void> {
    const status = await askOnce(ballotId);
    if (stopped) return;
    if (status !== null && isOutcome(status)) {
      stop();
      return onOutcome(status);
    }
    asks += 1;
    pause();
  }

  function stop(): void {
    stopped = true;
    clearTimeout(pausing);
    globalThis.removeEventListener('online', askNow);
    document.removeEventListener('visibilitychange', askNow);
  }

  pause();
  globalThis.addEventListener('online', askNow);
  document.addEventListener('visibilitychange', askNow);
  return stop;
}

/** null: no answer that says anything, for whatever reason. */
async function askOnce(ballotId: string): Promise<BallotStatus | null> {
  try {
    const response = await fetch(`/api/v1/ballots/${ballotId}`, { signal: AbortSignal.timeout(answerMsMax) });
    const body: unknown = await response.json();
    return response.ok ? (body as BallotStatus) : null; // The shape is the protocol's.
  } catch {
    return null;
  }
}

export function isOutcome(ballot: BallotStatus): ballot is BallotOutcome {
  return ballot.status !== 'received' && ballot.status !== 'validating';
}

/** How long to wait before the ask after `asks` of them: longer each time, and drawn at random, so that a crowd does not ask at one moment. */
export function toAskPauseMs(asks: number, random: number): number {
  return Math.min(pauseMsMax, firstPauseMs * growth ** asks) * (0.5 + random / 2);
}
