/**
 * Options with their votes: a bar, the count and the share of each. The bars are decoration; what they say stands beside them in figures.
 * A bar is clipped, not scaled, so that its corners stay round; the clip is an attribute, because the pages' policy allows no inline style.
 */
import { useMemo } from 'preact/hooks';
import type { Option } from '../../protocol/poll.ts';
import type { Tally } from '../../protocol/tally.ts';
import { toShares } from '../../protocol/shares.ts';
import { toNumberText, toPercentText } from '../texts/wording.ts';
import { useSetting } from './page.tsx';

export type BarRow = {
  readonly id: string;
  readonly text: string;
  readonly votes: number;
  /** Tenths of a percent. */
  readonly share: number;
  readonly leads: boolean;
};

/** The rows of a tally in ballot order. Whoever has the most votes leads, also together with others; nobody leads with none. */
export function toBarRows(options: readonly Option[], tally: Pick<Tally, 'counts'>): BarRow[] {
  const votesById = new Map(tally.counts.map(({ optionId, votes }) => [optionId, votes]));
  const votes = options.map(({ id }) => votesById.get(id) ?? 0);
  const shares = toShares(votes);
  const most = Math.max(1, ...votes);
  return options.map(({ id, text }, index) => ({
    id,
    text,
    votes: votes[index] ?? 0,
    share: shares[index] ?? 0,
    leads: votes[index] === most,
  }));
}

export function ResultBars({ rows, fractionDigits = 1 }: ResultBarsProps) {
  return (
    <ol class="bars">
      {rows.map((row) => (
        <BarItem key={row.id} row={row} fractionDigits={fractionDigits} />
      ))}
    </ol>
  );
}

type ResultBarsProps = { readonly rows: readonly BarRow[]; readonly fractionDigits?: 0 | 1 };

/** Made anew only when something in it changes: there may be two hundred, ten times a second. */
function BarItem({ row, fractionDigits }: { readonly row: BarRow; readonly fractionDigits: 0 | 1 }) {
  const { language } = useSetting();
  const { text, votes, share, leads } = row;
  return useMemo(
    () => (
      <li class={leads ? 'lead' : ''}>
        <div class="label">
          <bdi>{text}</bdi>
          <span class="num">
            <b>{toNumberText(votes, language)}</b>{' '}
            <span class="share">{toPercentText(share, language, fractionDigits)}</span>
          </span>
        </div>
        <Bar share={share} />
      </li>
    ),
    [text, votes, share, leads, language, fractionDigits],
  );
}

/** `share` in tenths of a percent. */
export function Bar({ share }: { readonly share: number }) {
  return (
    <svg class="bar" aria-hidden="true">
      <rect class="track" width="100%" height="100%" rx="8" />
      <rect class="fill" width="100%" height="100%" clip-path={`inset(0 ${(1000 - share) / 10}% 0 0 round 8px)`} />
    </svg>
  );
}
