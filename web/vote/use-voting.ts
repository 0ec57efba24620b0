/** The voter's side of the page: what is chosen, where the ballot stands, and what this browser keeps of it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { PageProps } from '../../protocol/pages.ts';
import type { Poll } from '../../protocol/poll.ts';
import { useBallotOutcome } from '../parts/ballot-outcome.ts';
import { useSetting } from '../parts/page.tsx';
import { drawKey, type BallotToCast } from './cast.ts';
import { keep, keepOutcome, readKept, watchKept, type KeptBallot } from './kept-ballot.ts';
import {
  findFormProblem,
  toFirstPhase,
  toPhaseOfAnswer,
  toPhaseOfKept,
  toPhaseOfOutcome,
  type Phase,
} from './phase.ts';
import { useSending, type Progress } from './use-sending.ts';
import { credentialOf, useVoterFields, type VoterFields } from './use-voter-fields.ts';

export type Voting = VoterFields & {
  readonly phase: Phase;
  readonly progress: Progress;
  readonly chosen: readonly string[];
  readonly key: string;
  choose(optionId: string, isChosen: boolean): void;
  send(): void;
  /** Opens the form again, for another vote in the place of the counted one. */
  change(): void;
  keepAsItIs(): void;
};

export function useVoting(props: PageProps['vote'], poll: Poll): Voting {
  const { nowMs } = useSetting();
  const [phase, setPhase] = useState<Phase>(() => toFirstPhase(props));
  const [chosen, setChosen] = useState(props.chosen);
  const voter = useVoterFields(poll);
  const { userId, token } = voter;
  const [key, setKey] = useState(props.idempotencyKey);
  const standing = useRef<Phase | null>(null);
  const sending: BallotToCast | null =
    phase.kind === 'sending' ? { pollId: poll.id, selections: chosen, ...credentialOf(poll, voter), key } : null;

  const progress = useSending(sending, (answer) => {
    const next = toPhaseOfAnswer(answer, poll.closesAt, nowMs + performance.now());
    setPhase(next);
    const kept = { key, selections: chosen, userId };
    if (next.kind === 'counted') keep(poll.id, { ...kept, state: 'counted' });
    else if (next.kind === 'received') keep(poll.id, { ...kept, state: 'received', ballotId: next.ballotId });
    else keepChoosing(chosen);
  });

  useReceived(poll, phase, (next) => {
    setPhase(next);
    setKey(drawKey());
  });

  function keepChoosing(selections: readonly string[]): void {
    // The next ballot is another one, so it has another key.
    const nextKey = drawKey();
    setKey(nextKey);
    keep(poll.id, { key: nextKey, selections, userId, state: 'choosing' });
  }

  useKeptBallot(poll, props, (kept) => {
    setChosen(kept.selections);
    voter.setUserId(kept.userId ?? '');
    if (kept.state !== 'choosing') setKey(kept.key);
    const next = toPhaseOfKept(kept, poll);
    if (next !== null) setPhase((before) => (before.kind === 'received' ? before : next));
  });

  return {
    phase,
    progress,
    chosen,
    ...voter,
    key,
    choose(optionId, isChosen) {
      const single = poll.selections.max === 1;
      const others = single ? [] : chosen.filter((id) => id !== optionId);
      const next = isChosen ? [...others, optionId] : others;
      setChosen(next);
      setPhase((before) => (before.kind === 'choosing' ? { ...before, problem: null } : before));
      keep(poll.id, { key, selections: next, userId, state: 'choosing' });
    },
    send() {
      const problem = findFormProblem(poll, chosen.length, { userId, token });
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

/** Follows an accepted ballot to its end. */
function useReceived(poll: Poll, phase: Phase, onEnded: (next: Phase) => void): void {
  useBallotOutcome(phase.kind === 'received' ? phase.ballotId : null, (outcome) => {
    const next = toPhaseOfOutcome(outcome, poll.closesAt);
    keepOutcome(poll.id, outcome.ballotId, next.kind === 'counted');
    onEnded(next);
  });
}

/**
 * Takes up what this browser has kept of the vote: a choice, or a ballot whose outcome is to be asked for, on its way, accepted or counted.
 * Sent again under its own key it counts once and gets the same receipt, in another tab and after a reload, too.
 */
function useKeptBallot(
  poll: Poll,
  { notice, ballot }: Pick<PageProps['vote'], 'notice' | 'ballot'>,
  take: (kept: KeptBallot) => void,
): void {
  useEffect(() => {
    const kept = readKept(poll.id);
    if (kept === null || notice !== null || ballot !== null) return;
    const isKnown = kept.selections.every((id) => poll.options.some((option) => option.id === id));
    // Where every vote counts, one that is counted is done with: the next is another.
    if (!isKnown || (kept.state === 'counted' && poll.electorate === 'open')) return;
    take(kept);
  }, []);
  useEffect(
    () =>
      watchKept(poll.id, (kept) => {
        const isAccepted = kept?.state === 'received' || kept?.state === 'counted';
        if (isAccepted && poll.electorate !== 'open') take(kept);
      }),
    [poll.id],
  );
}
