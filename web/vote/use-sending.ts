/** Sends a ballot again and again until its outcome is certain, and tells how it is going. */
import { useEffect, useState } from 'preact/hooks';
import { castOnce, toPauseMs, type BallotToCast, type CastAnswer } from './cast.ts';

export type Progress = {
  /** Whether it takes long enough to say something. */
  readonly slow: boolean;
  /** Why it was not taken yet, and when it is sent again, by this machine's clock. */
  readonly pause: { readonly why: 'offline' | 'overloaded' | 'unknown'; readonly untilMs: number } | null;
};

export const atFirst: Progress = { slow: false, pause: null };
const slowMs = 3_000;

type Certain = Exclude<CastAnswer, { kind: 'again' }>;

/** `ballot` null: nothing is to be sent. */
export function useSending(ballot: BallotToCast | null, onOutcome: (answer: Certain) => void): Progress {
  const [progress, setProgress] = useState(atFirst);
  useEffect(() => (ballot === null ? undefined : sendBallot(ballot, setProgress, onOutcome)), [ballot?.key]);
  return progress;
}

/** `onOutcome` is called once. Answers how to stop before. */
export function sendBallot(
  ballot: BallotToCast,
  onProgress: (progress: Progress) => void,
  onOutcome: (answer: Certain) => void,
): () => void {
  let progress = atFirst;
  let stopped = false;
  let failures = 0;
  let pausing: ReturnType<typeof setTimeout> | undefined;
  const slow = setTimeout(() => tell({ slow: true }), slowMs);

  function tell(news: Partial<Progress>): void {
    progress = { ...progress, ...news };
    onProgress(progress);
  }

  async function attempt(): Promise<void> {
    pausing = undefined;
    const answer = await castOnce(ballot);
    if (stopped) return;
    if (answer.kind !== 'again') {
      stop();
      return onOutcome(answer);
    }
    failures += 1;
    const pauseMs = toPauseMs(failures, answer.retryAfterMs, Math.random());
    tell({ pause: { why: answer.why, untilMs: Date.now() + pauseMs } });
    pausing = setTimeout(() => void attempt(), pauseMs);
  }

  function attemptNow(): void {
    if (pausing === undefined) return;
    clearTimeout(pausing);
    void attempt();
  }

  function stop(): void {
    stopped = true;
    clearTimeout(slow);
    clearTimeout(pausing);
    globalThis.removeEventListener('online', attemptNow);
  }

  tell({});
  void attempt();
  globalThis.addEventListener('online', attemptNow);
  return stop;
}
