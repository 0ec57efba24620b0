/** A feature board: each option with its count and a vote button of its own. */
import { useState } from 'preact/hooks';
import type { Option } from '../../protocol/poll.ts';
import type { PageProps } from '../../protocol/pages.ts';
import type { Tally } from '../../protocol/tally.ts';
import { useSetting, useTexts } from '../parts/page.tsx';
import { counted, fill, toNumberText } from '../texts/wording.ts';
import { boardOrders, sortBoard, type BoardOrder } from './board-order.ts';
import { Outcome } from './outcome.tsx';
import { PromiseLine } from './poll-head.tsx';
import { toProblemText } from './problem-text.ts';
import { StatusNotice } from './status-notice.tsx';
import { TokenField } from './token-field.tsx';
import { useBoardVotes } from './use-board-votes.ts';
import type { Voting } from './use-voting.ts';

type BoardProps = PageProps['vote'] & { readonly voting: Voting };

export function Board({ poll, tally, embedded, voting }: BoardProps) {
  const texts = useTexts('vote');
  const [order, setOrder] = useState<BoardOrder>('ballot');
  const votes = useBoardVotes(poll, voting.key, voting);
  const figures = new Map(tally?.counts.map((count) => [count.optionId, count]));
  const byId = new Map(poll.options.map((option) => [option.id, option]));
  const { phase } = voting;
  const standing = votes.standing ?? (phase.kind === 'choosing' || phase.kind === 'sending' ? null : phase);
  const problem = votes.problem ?? (phase.kind === 'choosing' ? phase.problem : null);
  // Where voters are told apart, a vote that stands is the only one.
  const done = poll.electorate !== 'open' && standing !== null;
  return (
    <form
      class="board"
      method="post"
      action={`${embedded ? '/embed' : '/p'}/${poll.slug}`}
      onSubmit={(event) => event.preventDefault()}
    >
      <input type="hidden" name="key" value={voting.key} />
      {done ? <Outcome phase={standing} changeable={false} onChange={() => undefined} /> : null}
      <StatusNotice poll={poll} />
      {problem === null ? null : (
        <p class="notice bad" role="alert">
          {toProblemText(problem, poll, texts)}
        </p>
      )}
      {poll.electorate === 'declared' ? (
        <label class="user-id">
          <span>{texts.userId}</span>
          <input
            class="field"
            name="userId"
            maxLength={255}
            value={voting.userId}
            onInput={(event) => voting.setUserId(event.currentTarget.value)}
          />
        </label>
      ) : null}
      {poll.electorate === 'token' ? (
        <TokenField token={voting.token} setToken={voting.setToken} disabled={false} />
      ) : null}
      {tally === null ? null : <OrderChoice order={order} onChange={setOrder} />}
      <ul class="features">
        {sortBoard([...byId.keys()], tally, order).map((id) => {
          const option = byId.get(id);
          return option === undefined ? null : (
            <Feature
              key={id}
              option={option}
              figures={figures.get(id) ?? null}
              sentCount={votes.sentCounts.get(id) ?? 0}
              receivedCount={votes.received.filter(({ optionId }) => optionId === id).length}
              open={poll.status === 'open' && !done}
              onVote={() => votes.vote(id)}
            />
          );
        })}
      </ul>
      <PromiseLine poll={poll} embedded={embedded} />
    </form>
  );
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
  readonly onVote: () => void;
};

function Feature({ option, figures, sentCount, receivedCount, open, onVote }: FeatureProps) {
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
