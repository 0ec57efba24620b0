/** Votes on a feature board where every press counts: each is a ballot of its own, sent until its outcome is certain; presses do not wait for each other. */
import { useRef, useState } from 'preact/hooks';
import { readLedgerNow } from '../live/ledger-clock.ts';
import type { Poll } from '../../protocol/poll.ts';
import { useBallotOutcome } from '../parts/ballot-outcome.ts';
import { useSetting } from '../parts/page.tsx';
import { drawKey } from './cast.ts';
import { toPhaseOfAnswer, toPhaseOfOutcome, type FormProblem, type Phase } from './phase.ts';
import { atFirst, sendBallot, type Progress } from './use-sending.ts';

export type BoardVotes = {
  /** How many votes of this visit were counted, by option. */
  readonly sentCounts: ReadonlyMap<string, number>;
  /** Those that were accepted and are yet to be counted, in the order of their acceptance. */
  readonly received: readonly ReceivedVote[];
  /** Whether any is on its way, and how it is going. */
  readonly sending: boolean;
  readonly progress: Progress;
  /** Of the last one, where the poll was closed before it arrived. */
  readonly late: Late | null;
  readonly problem: FormProblem | null;
  vote(optionId: string): void;
};

export type ReceivedVote = { readonly ballotId: string; readonly optionId: string };
type Late = Extract<Phase, { kind: 'late' }>;

/** More presses than these at a time are left out: nobody presses so fast who means it. */
const underWayMax = 20;

/** `firstKey` is that of the form on the page, so that a press which the server has taken as a form counts once. */
export function useBoardVotes(poll: Poll, firstKey: string): BoardVotes {
  const { nowMs } = useSetting();
  const [sentCounts, setSentCounts] = useState<ReadonlyMap<string, number>>(new Map());
  const [late, setLate] = useState<Late | null>(null);
  const [problem, setProblem] = useState<FormProblem | null>(null);
  const [received, setReceived] = useState<readonly ReceivedVote[]>([]);
  const [progress, setProgress] = useState(atFirst);
  const [underWayCount, setUnderWayCount] = useState(0);
  const nextKey = useRef(firstKey);
  const underWay = useRef(0);

  function countUnderWay(change: 1 | -1): void {
    underWay.current += change;
    setUnderWayCount(underWay.current);
    if (underWay.current === 0) setProgress(atFirst);
  }

  function take(optionId: string, phase: ReturnType<typeof toPhaseOfAnswer>): void {
    if (phase.kind === 'choosing') setProblem(phase.problem);
    if (phase.kind === 'late') setLate(phase);
    if (phase.kind === 'received') setReceived((before) => [...before, { ballotId: phase.ballotId, optionId }]);
    if (phase.kind === 'counted') {
      setSentCounts((before) => new Map(before).set(optionId, (before.get(optionId) ?? 0) + 1));
    }
  }

  // One at a time: when the first is counted, those that came after it mostly are, too.
  const [first = null] = received;
  useBallotOutcome(first?.ballotId ?? null, (outcome) => {
    take(first?.optionId ?? '', toPhaseOfOutcome(outcome));
    setReceived(([, ...others]) => others);
  });

  return {
    sentCounts,
    received,
    sending: underWayCount > 0,
    progress,
    late,
    problem,
    vote(optionId) {
      if (underWay.current >= underWayMax) return;
      setProblem(null);
      setLate(null);
      const key = nextKey.current;
      nextKey.current = drawKey();
      countUnderWay(1);
      const ballot = { pollId: poll.id, selections: [optionId], userId: null, token: null, key };
      sendBallot(ballot, setProgress, (answer) => {
        countUnderWay(-1);
        take(optionId, toPhaseOfAnswer(answer, readLedgerNow(nowMs)));
      });
    },
  };
}
