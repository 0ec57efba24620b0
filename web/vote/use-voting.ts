/** The voter's side of the page: what is chosen, where the ballot stands, and what this browser keeps of it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { readLedgerNow } from '../live/ledger-clock.ts';
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
  toPhaseOfBallot,
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
  /** Chooses one option and sends it, unless another is on its way or counted. */
  vote(optionId: string): void;
  /** Opens the form again, for another vote in the place of the counted one. */
  change(): void;
  keepAsItIs(): void;
  /** Where a page without a script finds the vote that stands. */
  readonly keepHref: string;
};

export function useVoting(props: PageProps['vote'], poll: Poll): Voting {
  const { nowMs } = useSetting();
  const [phase, setPhase] = useState<Phase>(() => toFirstPhase(props));
  const [chosen, setChosen] = useState(props.chosen);
  const voter = useVoterFields(poll, props.userId);
  const { userId, token } = voter;
  const [key, setKey] = useState(props.idempotencyKey);
  const standing = useRef(toFirstStanding(props));
  const sending: BallotToCast | null =
    phase.kind === 'sending' ? { pollId: poll.id, selections: chosen, ...credentialOf(poll, voter), key } : null;

  const progress = useSending(sending, (answer) => {
    const next = toPhaseOfAnswer(answer, readLedgerNow(nowMs));
    setPhase(next);
    if (!keepAccepted(poll.id, next, { key, selections: chosen, userId })) keepChoosing(chosen);
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

  useKeptBallot(props, phase, (kept) => {
    setChosen(kept.selections);
    voter.setUserId(kept.userId ?? '');
    if (kept.state !== 'choosing') setKey(kept.key);
    const next = toPhaseOfKept(kept, poll);
    if (next !== null) setPhase((before) => (before.kind === 'received' ? before : next));
  });

  function sendThese(selections: readonly string[]): void {
    const problem = findFormProblem(poll, selections.length, { userId, token });
    if (problem !== null) return setPhase({ kind: 'choosing', problem, changing: standing.current !== null });
    setChosen(selections);
    keep(poll.id, { key, selections, userId, state: 'sending' });
    setPhase({ kind: 'sending' });
  }

  return {
    phase,
    progress,
    chosen,
    ...voter,
    key,
    choose(optionId, isChosen) {
      const next = toChosen(poll.selections.max === 1 ? [] : chosen, optionId, isChosen);
      setChosen(next);
      setPhase((before) => (before.kind === 'choosing' ? { ...before, problem: null } : before));
      keep(poll.id, { key, selections: next, userId, state: 'choosing' });
    },
    send: () => sendThese(chosen),
    vote(optionId) {
      if (phase.kind === 'choosing') sendThese([optionId]);
    },
    change() {
      standing.current = { phase, chosen, kept: readKept(poll.id) };
      keepChoosing(chosen);
      setPhase({ kind: 'choosing', problem: null, changing: true });
    },
    keepHref: props.ballot === null ? '?' : `?ballot=${props.ballot.ballotId}`,
    keepAsItIs() {
      if (standing.current === null) return;
      const { phase: before, chosen: selections, kept } = standing.current;
      standing.current = null;
      setPhase(before);
      setChosen(selections);
      keep(poll.id, kept ?? { key, selections, userId, state: 'choosing' });
    },
  };
}

function toChosen(before: readonly string[], optionId: string, isChosen: boolean): readonly string[] {
  const others = before.filter((id) => id !== optionId);
  return isChosen ? [...others, optionId] : others;
}

/** Keeps a ballot that was taken; false: it was not. */
function keepAccepted(pollId: string, phase: Phase, kept: Pick<KeptBallot, 'key' | 'selections' | 'userId'>): boolean {
  if (phase.kind === 'counted') keep(pollId, { ...kept, state: 'counted' });
  if (phase.kind === 'received') keep(pollId, { ...kept, state: 'received', ballotId: phase.ballotId });
  return phase.kind === 'counted' || phase.kind === 'received';
}

/** What is given up only when another vote is sent: where the voter stood, with what choice, and what this browser kept of it. */
type Standing = { readonly phase: Phase; readonly chosen: readonly string[]; readonly kept: KeptBallot | null };

function toFirstStanding({ ballot, changing, chosen }: PageProps['vote']): Standing | null {
  return changing && ballot !== null ? { phase: toPhaseOfBallot(ballot), chosen, kept: null } : null;
}

/** Follows an accepted ballot to its end. */
function useReceived(poll: Poll, phase: Phase, onEnded: (next: Phase) => void): void {
  useBallotOutcome(phase.kind === 'received' ? phase.ballotId : null, (outcome) => {
    const next = toPhaseOfOutcome(outcome);
    keepOutcome(poll.id, outcome.ballotId, next.kind === 'counted');
    onEnded(next);
  });
}

/**
 * Takes up what this browser has kept of the vote: a choice, or a ballot whose outcome is to be asked for, on its way, accepted or counted.
 * Sent again under its own key it counts once and gets the same receipt, in another tab and after a reload, too.
 */
function useKeptBallot(
  { poll, notice, ballot }: Pick<PageProps['vote'], 'poll' | 'notice' | 'ballot'>,
  phase: Phase,
  take: (kept: KeptBallot) => void,
): void {
  const phaseNow = useRef(phase);
  phaseNow.current = phase;
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
        if (kept === null || poll.electorate === 'open') return;
        const isAccepted = kept.state === 'received' || kept.state === 'counted';
        // A browser without a cookie gets it with the first answer, by the key: two tabs with a key each would be two voters.
        const isFirst =
          kept.state === 'sending' && poll.electorate === 'cookie' && phaseNow.current.kind === 'choosing';
        if (isAccepted || isFirst) take(kept);
      }),
    [poll.id],
  );
}
