/** A feature board: each option with its count and a vote button of its own. */
import { useState } from 'preact/hooks';
import type { PageProps } from '../../protocol/pages.ts';
import type { Poll, Option } from '../../protocol/poll.ts';
import type { Tally } from '../../protocol/tally.ts';
import { useSetting, useTexts } from '../parts/page.tsx';
import { counted, fill, toNumberText } from '../texts/wording.ts';
import { boardOrders, sortBoard, type BoardOrder } from './board-order.ts';
import { KeepLink, ProblemLine, ProgressLine, UserIdField } from './ballot-form.tsx';
import { Outcome } from './outcome.tsx';
import { PromiseLine } from './poll-head.tsx';
import type { Phase } from './phase.ts';
import { StatusNotice } from './status-notice.tsx';
import { TokenField } from './token-field.tsx';
import { useBoardVotes } from './use-board-votes.ts';
import type { Voting } from './use-voting.ts';

type BoardProps = PageProps['vote'] & { readonly voting: Voting };

export function Board({ poll, tally, embedded, voting }: BoardProps) {
  const [order, setOrder] = useState<BoardOrder>('ballot');
  const presses = usePresses(poll, voting);
  const { outcome, sending, progress } = presses;
  const figures = new Map(tally?.counts.map((count) => [count.optionId, count]));
  const byId = new Map(poll.options.map((option) => [option.id, option]));
  return (
    <>
      {outcome === null ? null : (
        <Outcome
          phase={outcome}
          changeable={poll.revote === 'replace' && poll.status === 'open'}
          embedded={embedded}
          closesAt={poll.closesAt}
          onChange={voting.change}
        />
      )}
      <form
        class="board"
        method="post"
        action={`${embedded ? '/embed' : '/p'}/${poll.slug}`}
        onSubmit={(event) => event.preventDefault()}
      >
        <input type="hidden" name="key" value={voting.key} />
        <StatusNotice poll={poll} />
        <ProblemLine poll={poll} problem={presses.problem} />
        {poll.electorate === 'declared' ? <UserIdField voting={voting} disabled={presses.full} /> : null}
        {poll.electorate === 'token' ? <TokenField {...voting} disabled={presses.full} /> : null}
        {voting.phase.kind === 'choosing' && voting.phase.changing ? <KeepLink voting={voting} /> : null}
        {tally === null ? null : <OrderChoice order={order} onChange={setOrder} />}
        <ul class="features">
          {sortBoard([...byId.keys()], tally, order).map((id) => {
            const option = byId.get(id);
            return option === undefined ? null : (
              <Feature
                key={id}
                option={option}
                figures={figures.get(id) ?? null}
                sentCount={presses.sentCountOf(id)}
                receivedCount={presses.receivedCountOf(id)}
                open={poll.status === 'open' && !presses.done}
                waiting={presses.full}
                onVote={() => presses.vote(id)}
              />
            );
          })}
        </ul>
        <PromiseLine poll={poll} embedded={embedded} />
        {sending && (progress.slow || progress.pause !== null) ? (
          <footer class="send">
            <div>
              <ProgressLine sending progress={progress} />
            </div>
          </footer>
        ) : null}
      </form>
    </>
  );
}

/** What presses of the buttons do: where every vote counts each is another ballot; a voter who has one ballot sends it as from a ballot form. */
function usePresses(poll: Poll, voting: Voting) {
  const votes = useBoardVotes(poll, voting.key);
  const { phase } = voting;
  const arrived = phase.kind === 'choosing' || phase.kind === 'sending' ? null : phase;
  const problem = phase.kind === 'choosing' ? phase.problem : null;
  if (poll.electorate === 'open') {
    return {
      ...votes,
      outcome: votes.late ?? arrived,
      problem: votes.problem ?? problem,
      sentCountOf: (id: string) => votes.sentCounts.get(id) ?? 0,
      receivedCountOf: (id: string) => votes.received.filter(({ optionId }) => optionId === id).length,
      full: false,
      done: false,
    };
  }
  const countIn = (kind: Phase['kind']) => (id: string) => (phase.kind === kind && voting.chosen.includes(id) ? 1 : 0);
  const sending = phase.kind === 'sending';
  return {
    outcome: arrived,
    problem,
    sending,
    progress: voting.progress,
    sentCountOf: countIn('counted'),
    receivedCountOf: countIn('received'),
    /** Whether no other press is taken before the one that is on its way has arrived. */
    full: sending,
    done: arrived !== null,
    vote: voting.vote,
  };
}

function OrderChoice({
  order,
  onChange,
}: {
  readonly order: BoardOrder;
  readonly onChange: (order: BoardOrder) => void;
}) {
  const texts = useTexts('vote').board;
  return (
    <fieldset class="orders">
      <legend class="visually-hidden">{texts.order}</legend>
      {boardOrders.map((each) => (
        <label key={each}>
          {/* No name: the order is for the eye, and no part of the vote. */}
          <input type="radio" checked={order === each} onChange={() => onChange(each)} />
          <span>{texts.orders[each]}</span>
        </label>
      ))}
    </fieldset>
  );
}

type FeatureProps = {
  readonly option: Option;
  readonly figures: Tally['counts'][number] | null;
  /** Votes of this visitor, on this visit: those that are counted, and those that are yet to be. */
  readonly sentCount: number;
  readonly receivedCount: number;
  readonly open: boolean;
  /** Whether the voter's only ballot is on its way. */
  readonly waiting: boolean;
  readonly onVote: () => void;
};

function Feature({ option, figures, sentCount, receivedCount, open, waiting, onVote }: FeatureProps) {
  const texts = useTexts('vote').board;
  const common = useTexts('common');
  const { language } = useSetting();
  const sent = sentCount === 0 ? '' : counted(texts.sent, sentCount, language);
  return (
    <li class="feature card">
      <div class="words">
        <h2 dir="auto">{option.text}</h2>
        {option.description === null ? null : (
          <p class="small muted" dir="auto">
            {option.description}
          </p>
        )}
        {figures === null ? null : (
          <p class="small muted num">{counted(texts.lastTenMinutes, figures.lastTenMinutes, language)}</p>
        )}
      </div>
      <div class="figures num">
        {figures === null ? null : (
          <p class="count">
            <b>{toNumberText(figures.votes, language)}</b>
            <span class="visually-hidden"> {counted(common.votes, figures.votes, language)}</span>
          </p>
        )}
        {/* Beside the button, whose name says what it does and not what was done. */}
        <p class="sent" role="status">
          {sent} {receivedCount === 0 ? null : <ReceivedCount count={receivedCount} />}
        </p>
      </div>
      <button
        class="button quiet"
        name="option"
        value={option.id}
        disabled={!open}
        aria-disabled={waiting}
        aria-label={fill(texts.voteFor, { option: option.text })}
        onClick={(event) => {
          event.preventDefault();
          onVote();
        }}
      >
        {texts.vote}
      </button>
    </li>
  );
}

function ReceivedCount({ count }: { readonly count: number }) {
  const texts = useTexts('vote').board;
  const { language } = useSetting();
  return (
    <>
      <span class="muted" aria-hidden="true">
        {counted(texts.received, count, language)}
      </span>
      <span class="visually-hidden">{counted(texts.receivedSay, count, language)}</span>
    </>
  );
}
