/** Sends a ballot again and again until its outcome is certain, and tells how it is going. */
import { useEffect, useState } from 'preact/hooks';
import { castOnce, toPauseMs, type BallotToCast, type CastAnswer } from './cast.ts';

export type Progress = {
  /** Whether it takes long enough to say something. */
  readonly slow: boolean;
  /** Why it was not taken yet, and when it is sent again, by this machine's clock. */
  readonly pause: { readonly why: 'offline' | 'overloaded' | 'unknown'; readonly untilMs: number } | null;
};

const atFirst: Progress = { slow: false, pause: null };
const slowMs = 3_000;

/** `ballot` null: nothing is to be sent. */
export function useSending(
  ballot: BallotToCast | null,
  onOutcome: (answer: Exclude<CastAnswer, { kind: 'again' }>) => void,
): Progress {
  const [progress, setProgress] = useState(atFirst);
  useEffect(() => {
    if (ballot === null) return undefined;
    setProgress(atFirst);
    let stopped = false;
    let failures = 0;
    let pausing: ReturnType<typeof setTimeout> | undefined;
    const slow = setTimeout(() => setProgress((before) => ({ ...before, slow: true })), slowMs);

    async function attempt(): Promise<void> {
      pausing = undefined;
      const answer = await castOnce(ballot as BallotToCast); // Checked above; the effect runs anew for each ballot.
      if (stopped) return;
      if (answer.kind !== 'again') return onOutcome(answer);
      failures += 1;
      const pauseMs = toPauseMs(failures, answer.retryAfterMs, Math.random());
      setProgress((before) => ({ ...before, pause: { why: answer.why, untilMs: Date.now() + pauseMs } }));
      pausing = setTimeout(() => void attempt(), pauseMs);
    }

    function attemptNow(): void {
      if (pausing === undefined) return;
      clearTimeout(pausing);
      void attempt();
    }

    void attempt();
    globalThis.addEventListener('online', attemptNow);
    return () => {
      stopped = true;
      clearTimeout(slow);
      clearTimeout(pausing);
      globalThis.removeEventListener('online', attemptNow);
    };
  }, [ballot?.key]);
  return progress;
}
