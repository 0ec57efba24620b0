/** The voter's side of the page: what is chosen, where the ballot stands, and what this browser keeps of it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { PageProps } from '../../protocol/pages.ts';
import type { Poll } from '../../protocol/poll.ts';
import { useSetting } from '../parts/page.tsx';
import { drawKey, type BallotToCast } from './cast.ts';
import { keep, readKept, watchKept, type KeptBallot } from './kept-ballot.ts';
import { findFormProblem, toFirstPhase, toPhaseOfAnswer, type Phase } from './phase.ts';
import { useSending, type Progress } from './use-sending.ts';

export type Voting = {
  readonly phase: Phase;
  readonly progress: Progress;
  readonly chosen: readonly string[];
  readonly userId: string;
  readonly key: string;
  choose(optionId: string, isChosen: boolean): void;
  setUserId(userId: string): void;
  send(): void;
  /** Opens the form again, for another vote in the place of the counted one. */
  change(): void;
  keepAsItIs(): void;
};

export function useVoting(props: PageProps['vote'], poll: Poll): Voting {
  const { nowMs } = useSetting();
  const [phase, setPhase] = useState<Phase>(() => toFirstPhase(props));
  const [chosen, setChosen] = useState(props.chosen);
  const [userId, setUserId] = useState('');
  const [key, setKey] = useState(props.idempotencyKey);
  const standing = useRef<Phase | null>(null);
  const sending: BallotToCast | null =
    phase.kind === 'sending'
      ? { pollId: poll.id, selections: chosen, userId: poll.electorate === 'declared' ? userId : null, key }
      : null;

  const progress = useSending(sending, (answer) => {
    const now = nowMs + performance.now();
    const next = toPhaseOfAnswer(answer, poll.closesAt, now);
    setPhase(next);
    if (next.kind === 'counted') keep(poll.id, { key, selections: chosen, userId, state: 'counted' });
    else keepChoosing(chosen);
  });

  function keepChoosing(selections: readonly string[]): void {
    // The next ballot is another one, so it has another key.
    const nextKey = drawKey();
    setKey(nextKey);
    keep(poll.id, { key: nextKey, selections, userId, state: 'choosing' });
  }

  useKeptBallot(poll, props, (kept, isOnItsWay) => {
    setChosen(kept.selections);
    setUserId(kept.userId ?? '');
    if (!isOnItsWay) return;
    setKey(kept.key);
    setPhase({ kind: 'sending' });
  });

  return {
    phase,
    progress,
    chosen,
    userId,
    key,
    choose(optionId, isChosen) {
      const single = poll.selections.max === 1;
      const others = single ? [] : chosen.filter((id) => id !== optionId);
      const next = isChosen ? [...others, optionId] : others;
      setChosen(next);
      setPhase((before) => (before.kind === 'choosing' ? { ...before, problem: null } : before));
      keep(poll.id, { key, selections: next, userId, state: 'choosing' });
    },
    setUserId,
    send() {
      const problem = findFormProblem(poll, chosen.length, userId);
      if (problem !== null) {
        setPhase({ kind: 'choosing', problem, changing: standing.current !== null });
        return;
      }
      keep(poll.id, { key, selections: chosen, userId, state: 'sending' });
      setPhase({ kind: 'sending' });
    },
    change() {
      standing.current = phase;
      keepChoosing(chosen);
      setPhase({ kind: 'choosing', problem: null, changing: true });
    },
    keepAsItIs() {
      if (standing.current !== null) setPhase(standing.current);
      standing.current = null;
    },
  };
}

/**
 * Takes up what this browser has kept of the vote: a choice, or a ballot whose outcome is to be asked for, on its way or counted. Asked
 * under its own key it counts once and gets the same receipt, in another tab and after a reload, too.
 */
function useKeptBallot(
  poll: Poll,
  { notice, ballot }: Pick<PageProps['vote'], 'notice' | 'ballot'>,
  take: (kept: KeptBallot, isOnItsWay: boolean) => void,
): void {
  useEffect(() => {
    const kept = readKept(poll.id);
    if (kept === null || notice !== null || ballot !== null) return;
    const isKnown = kept.selections.every((id) => poll.options.some((option) => option.id === id));
    // Where every vote counts, one that is counted is done with: the next is another.
    if (!isKnown || (kept.state === 'counted' && poll.electorate === 'open')) return;
    take(kept, kept.state !== 'choosing');
  }, []);
  useEffect(
    () =>
      watchKept(poll.id, (kept) => {
        if (kept?.state === 'counted' && poll.electorate !== 'open') take(kept, true);
      }),
    [poll.id],
  );
}
