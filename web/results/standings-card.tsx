/** The bars of a poll, who has won, and the same as a table. */
import type { PollShown } from '../../protocol/pages.ts';
import type { Tally } from '../../protocol/tally.ts';
import { useSetting, useTexts } from '../parts/page.tsx';
import { ResultBars, toBarRows, type BarRow } from '../parts/result-bars.tsx';
import { counted, fill, toNumberText, toPercentText } from '../texts/wording.ts';
import { toShownRows, toWinners } from './standings.ts';

export function StandingsCard({ poll, tally }: { readonly poll: PollShown['poll']; readonly tally: Tally }) {
  const texts = useTexts('results');
  const { language } = useSetting();
  const rows = toBarRows(poll.options, tally);
  const { first, others } = toShownRows(rows, poll.status);
  const votes = rows.reduce((sum, row) => sum + row.votes, 0);
  const several = poll.selections.max > 1;
  return (
    <section class="card standings">
      <Verdict poll={poll} rows={rows} />
      <ResultBars rows={first} />
      {others.length === 0 ? null : (
        <details>
          <summary>{counted(texts.more, others.length, language)}</summary>
          <ResultBars rows={others} />
        </details>
      )}
      <p class="small muted num">
        {poll.status === 'closed' ? texts.sorted : texts.ballotOrder}{' '}
        {several ? counted(texts.sharesOfVotes, votes, language) : counted(texts.sharesOfBallots, votes, language)}
      </p>
      <details>
        <summary>{texts.asTable}</summary>
        <StandingsTable rows={[...first, ...others]} tally={tally} />
      </details>
    </section>
  );
}

function Verdict({ poll, rows }: { readonly poll: PollShown['poll']; readonly rows: readonly BarRow[] }) {
  const texts = useTexts('results');
  const { language } = useSetting();
  const winners = toWinners(rows);
  if (winners.length === 0) {
    return (
      <div class="verdict">
        <b>{poll.status === 'closed' ? texts.noVotesAtAll : texts.noVotes}</b>
        {poll.status === 'closed' ? null : <p class="muted">{texts.noVotesHint}</p>}
      </div>
    );
  }
  if (poll.status !== 'closed') return null;
  const names = new Intl.ListFormat(language, { type: 'conjunction' }).format(
    winners.map(({ text }) => `\u2068${text}\u2069`),
  );
  return (
    <div class="verdict" role="status">
      <b>{winners.length === 1 ? fill(texts.winner, { option: names }) : fill(texts.tie, { options: names })}</b>
    </div>
  );
}

function StandingsTable({ rows, tally }: { readonly rows: readonly BarRow[]; readonly tally: Tally }) {
  const texts = useTexts('results');
  const { language } = useSetting();
  const recent = new Map(tally.counts.map(({ optionId, lastTenMinutes }) => [optionId, lastTenMinutes]));
  return (
    <table>
      <thead>
        <tr>
          {[texts.option, texts.votes, texts.share, texts.recent].map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ id, text, votes, share }) => (
          <tr key={id}>
            <th scope="row">
              <bdi>{text}</bdi>
            </th>
            <td class="num">{toNumberText(votes, language)}</td>
            <td class="num">{toPercentText(share, language)}</td>
            <td class="num">{toNumberText(recent.get(id) ?? 0, language)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
