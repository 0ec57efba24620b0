/** Why a ballot could not be sent, or was not taken, in words. */
import type { Poll } from '../../protocol/poll.ts';
import type { useTexts } from '../parts/page.tsx';
import { fill } from '../texts/wording.ts';
import type { FormProblem } from './phase.ts';

type Texts = ReturnType<typeof useTexts<'vote'>>;

export function toProblemText(problem: FormProblem, poll: Pick<Poll, 'selections'>, texts: Texts): string {
  const { min, max } = poll.selections;
  const seconds = problem.kind === 'overloaded' ? problem.retryAfterSeconds : 0;
  const detail = problem.kind === 'refused' ? problem.detail : '';
  return fill(texts.problem[problem.kind], { min, max, seconds, detail });
}
