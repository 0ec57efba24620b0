/** Votes on a feature board: each press is a ballot of its own, sent until its outcome is certain; presses do not wait for each other. */
import { useRef, useState } from 'preact/hooks';
import type { Poll } from '../../protocol/poll.ts';
import { useBallotOutcome } from '../parts/ballot-outcome.ts';
import { castOnce, drawKey, toPauseMs, type BallotToCast, type CastAnswer } from './cast.ts';
import { keep, keepOutcome } from './kept-ballot.ts';
import type { Arrived } from './outcome.tsx';
import { toPhaseOfAnswer, toPhaseOfOutcome, type FormProblem, type Phase } from './phase.ts';
import { credentialOf, type VoterFields } from './use-voter-fields.ts';

export type BoardVotes = {
  /** How many votes of this visit were counted, by option. */
  readonly sentCounts: ReadonlyMap<string, number>;
  /** Those that were accepted and are yet to be counted, in the order of their acceptance. */
  readonly received: readonly ReceivedVote[];
  /** Where the ballot stands, of a voter who has one only. */
  readonly standing: Arrived | null;
  readonly problem: FormProblem | null;
  vote(optionId: string): void;
};

export type ReceivedVote = { readonly ballotId: string; readonly optionId: string };

/** More presses than these at a time are left out: nobody presses so fast who means it. */
const underWayMax = 20;

/** `firstKey` is that of the form on the page, so that a press which the server has taken as a form counts once. */
export function useBoardVotes(poll: Poll, firstKey: string, voter: VoterFields): BoardVotes {
  const [sentCounts, setSentCounts] = useState<ReadonlyMap<string, number>>(new Map());
  const [standing, setStanding] = useState<BoardVotes['standing']>(null);
  const [problem, setProblem] = useState<FormProblem | null>(null);
  const [received, setReceived] = useState<readonly ReceivedVote[]>([]);
  const nextKey = useRef(firstKey);
  const underWay = useRef(0);

  async function send(ballot: BallotToCast): Promise<void> {
    underWay.current += 1;
    const answer = await castUntilCertain(ballot);
    underWay.current -= 1;
    const phase = toPhaseOfAnswer(answer, poll.closesAt, Date.now());
    const [optionId = ''] = ballot.selections;
    take(optionId, phase);
    if (phase.kind !== 'received') return;
    const { ballotId } = phase;
    setReceived((before) => [...before, { ballotId, optionId }]);
    if (poll.electorate === 'open') return;
    const { key, selections } = ballot;
    keep(poll.id, { key, selections, userId: voter.userId, state: 'received', ballotId });
  }

  function take(optionId: string, phase: Phase): void {
    if (phase.kind === 'sending') return;
    if (phase.kind === 'choosing') {
      setProblem(phase.problem);
      setStanding((before) => (before?.kind === 'received' ? null : before));
      return;
    }
    setStanding(phase);
    if (phase.kind === 'counted') {
      setSentCounts((before) => new Map(before).set(optionId, (before.get(optionId) ?? 0) + 1));
    }
  }

  // One at a time: when the first is counted, those that came after it mostly are, too.
  const [first = null] = received;
  useBallotOutcome(first?.ballotId ?? null, (outcome) => {
    const phase = toPhaseOfOutcome(outcome, poll.closesAt);
    take(first?.optionId ?? '', phase);
    setReceived(([, ...others]) => others);
    keepOutcome(poll.id, outcome.ballotId, phase.kind === 'counted');
  });

  return {
    sentCounts,
    standing,
    received,
    problem,
    vote(optionId) {
      if (underWay.current >= underWayMax) return;
      setProblem(null);
      const key = nextKey.current;
      nextKey.current = drawKey();
      void send({ pollId: poll.id, selections: [optionId], ...credentialOf(poll, voter), key });
    },
  };
}

async function castUntilCertain(ballot: BallotToCast): Promise<Exclude<CastAnswer, { kind: 'again' }>> {
  for (let failures = 1; ; failures += 1) {
    const answer = await castOnce(ballot);
    if (answer.kind !== 'again') return answer;
    await new Promise((resolve) => setTimeout(resolve, toPauseMs(failures, answer.retryAfterMs, Math.random())));
  }
}
