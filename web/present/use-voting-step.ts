/** Opening and closing the poll from the projector, for whoever holds its manage cookie. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Poll } from '../../protocol/poll.ts';
import { votingStepOf } from './stage.ts';

export type VotingStep = {
  /** The poll as the server answered it last; null before. It may be newer than what the stream has told. */
  readonly answered: Poll | null;
  readonly failed: boolean;
  take(): void;
};

/** A crowd is looking: the word of a failure does not stay. */
const failureShownMs = 8_000;

export function useVotingStep(poll: Poll, manager: boolean): VotingStep {
  const [answered, setAnswered] = useState<Poll | null>(null);
  const [failed, setFailed] = useState(false);
  const busy = useRef(false);
  useEffect(() => {
    if (!failed) return undefined;
    const timer = setTimeout(() => setFailed(false), failureShownMs);
    return () => clearTimeout(timer);
  }, [failed]);

  async function post(step: 'open' | 'close'): Promise<void> {
    const answer = await fetch(`/api/v1/polls/${poll.id}/${step}`, { method: 'POST' });
    if (!answer.ok) throw new Error(`${step}: ${answer.status}`);
    setAnswered((await answer.json()) as Poll); // Answered by our own server from the type of this protocol.
  }

  function take(): void {
    const step = votingStepOf(poll.status);
    if (!manager || step === null || busy.current) return;
    busy.current = true;
    setFailed(false);
    post(step)
      .catch(() => setFailed(true))
      .finally(() => {
        busy.current = false;
      });
  }

  return { answered, failed, take };
}
