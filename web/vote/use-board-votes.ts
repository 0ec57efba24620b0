/** Votes on a feature board: each press is a ballot of its own, sent until its outcome is certain; presses do not wait for each other. */
import { useRef, useState } from 'preact/hooks';
import type { Poll } from '../../protocol/poll.ts';
import { castOnce, drawKey, toPauseMs, type BallotToCast, type CastAnswer } from './cast.ts';
import { toPhaseOfAnswer, type Phase } from './phase.ts';

export type BoardVotes = {
  /** How many votes of this visit were counted, by option. */
  readonly sentCounts: ReadonlyMap<string, number>;
  /** The ballot that stands, of a voter who has one only. */
  readonly standing: Extract<Phase, { kind: 'counted' | 'duplicate' | 'late' }> | null;
  readonly failed: string | null;
  readonly userId: string;
  setUserId(userId: string): void;
  vote(optionId: string): void;
};

/** More presses than these at a time are left out: nobody presses so fast who means it. */
const underWayMax = 20;

/** `firstKey` is that of the form on the page, so that a press which the server has taken as a form counts once. */
export function useBoardVotes(poll: Poll, firstKey: string): BoardVotes {
  const [sentCounts, setSentCounts] = useState<ReadonlyMap<string, number>>(new Map());
  const [standing, setStanding] = useState<BoardVotes['standing']>(null);
  const [failed, setFailed] = useState<string | null>(null);
  const [userId, setUserId] = useState('');
  const nextKey = useRef(firstKey);
  const underWay = useRef(0);

  async function send(ballot: BallotToCast): Promise<void> {
    underWay.current += 1;
    const answer = await castUntilCertain(ballot);
    underWay.current -= 1;
    const phase = toPhaseOfAnswer(answer, poll.closesAt, Date.now());
    if (phase.kind === 'choosing') setFailed(answer.kind === 'refused' ? answer.problem.detail : null);
    else if (phase.kind !== 'sending') setStanding(phase);
    if (phase.kind === 'counted') {
      const [optionId = ''] = ballot.selections;
      setSentCounts((before) => new Map(before).set(optionId, (before.get(optionId) ?? 0) + 1));
    }
  }

  return {
    sentCounts,
    standing,
    failed,
    userId,
    setUserId,
    vote(optionId) {
      if (underWay.current >= underWayMax) return;
      setFailed(null);
      const key = nextKey.current;
      nextKey.current = drawKey();
      const voter = poll.electorate === 'declared' ? userId : null;
      void send({ pollId: poll.id, selections: [optionId], userId: voter, key });
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
