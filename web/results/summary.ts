/** What a screen reader is told of the results, at most every ten seconds. */
import type { Language } from '../../protocol/pages.ts';
import type { Poll } from '../../protocol/poll.ts';
import type { BarRow } from '../parts/result-bars.tsx';
import type { Catalogue } from '../texts/en.ts';
import { counted, fill, toPercentText } from '../texts/wording.ts';

const optionsSaidMax = 3;

export function toSummary(
  status: Poll['status'],
  rows: readonly BarRow[],
  texts: Pick<Catalogue, 'common' | 'results'>,
  language: Language,
): string {
  const votes = rows.reduce((sum, row) => sum + row.votes, 0);
  const shares = rows
    .toSorted((a, b) => b.votes - a.votes)
    .slice(0, optionsSaidMax)
    .map(({ text, share }) =>
      fill(texts.results.summaryShare, { option: text, percent: toPercentText(share, language, 0) }),
    );
  const total = counted(texts.common.votes, votes, language);
  return fill(status === 'closed' ? texts.results.summaryClosed : texts.results.summary, {
    total,
    shares: shares.join(', '),
  });
}
