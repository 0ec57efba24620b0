import type { PageProps } from '../../protocol/pages.ts';
import { useLivePoll } from '../live/use-live-poll.ts';
import { usePollColor } from '../parts/poll-color.ts';
import { useTexts, type Page } from '../parts/page.tsx';
import { TopBar } from '../parts/top-bar.tsx';
import { fill } from '../texts/wording.ts';
import { BallotForm } from './ballot-form.tsx';
import { Board } from './board.tsx';
import { useFrameHeight } from './frame-height.ts';
import { Outcome } from './outcome.tsx';
import { PollHead, PromiseLine } from './poll-head.tsx';
import { ResultsSoFar } from './results-so-far.tsx';
import { StatusNotice } from './status-notice.tsx';
import { useVoting } from './use-voting.ts';

export const votePage: Page<'vote'> = {
  name: 'vote',
  View: Vote,
  title: ({ poll }, texts) => fill(texts.vote.windowTitle, { question: poll.question }),
  description: ({ poll }, texts) => poll.description ?? fill(texts.vote.description, { question: poll.question }),
};

function Vote(props: PageProps['vote']) {
  const common = useTexts('common');
  const voting = useVoting(props, props.poll);
  const { phase } = voting;
  const ballotId = phase.kind === 'counted' || phase.kind === 'duplicate' ? phase.ballotId : null;
  const live = useLivePoll(props, ballotId);
  usePollColor(live.poll.color);
  useFrameHeight(props.embedded);
  return (
    <>
      {props.embedded ? null : (
        <TopBar>
          <a href={`/p/${live.poll.slug}/results`}>{common.results}</a>
        </TopBar>
      )}
      <main id="main" class={props.embedded ? 'embedded' : ''}>
        <PollHead poll={live.poll} />
        {live.poll.layout === 'board' ? (
          <Board {...props} poll={live.poll} tally={live.tally} voting={voting} />
        ) : (
          <Ballot props={props} live={live} voting={voting} />
        )}
      </main>
    </>
  );
}

type BallotProps = {
  readonly props: PageProps['vote'];
  readonly live: ReturnType<typeof useLivePoll>;
  readonly voting: ReturnType<typeof useVoting>;
};

function Ballot({ props, live, voting }: BallotProps) {
  const { poll, tally } = live;
  const { phase } = voting;
  const arrived = phase.kind !== 'choosing' && phase.kind !== 'sending';
  return (
    <>
      {arrived ? (
        <Outcome
          phase={phase}
          changeable={poll.revote === 'replace' && poll.status === 'open'}
          embedded={props.embedded}
          closesAt={poll.closesAt}
          onChange={voting.change}
        />
      ) : null}
      {arrived && phase.kind !== 'late' && poll.status === 'open' ? null : <StatusNotice poll={poll} />}
      {arrived || poll.status === 'closed' || poll.status === 'closing' ? (
        <>
          <ResultsSoFar poll={poll} tally={tally} withLink={!props.embedded} />
          <PromiseLine poll={poll} embedded={props.embedded} />
        </>
      ) : (
        <BallotForm poll={poll} voting={voting} embedded={props.embedded} />
      )}
    </>
  );
}
