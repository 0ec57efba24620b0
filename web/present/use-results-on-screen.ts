/** Whether the results are on the screen, by the presenter's hand, and how far a revealing of them has come. */
import { useEffect, useState } from 'preact/hooks';
import type { Poll } from '../../protocol/poll.ts';
import { toRevealPauseMs } from './reveal.ts';
import { resultsWanted, type ResultsWanted } from './stage.ts';

/** What was asked for by hand, poll by poll, for as long as the page is open. */
export type Wishes = Map<Poll['id'], ResultsWanted>;

export type ResultsOnScreen = {
  readonly wanted: ResultsWanted | null;
  /** Rows that are on the screen in a revealing; null: there is none under way. */
  readonly revealed: number | null;
  /** `rowCount`: how many rows a revealing has; 0 for none. */
  toggle(rowCount: number): void;
};

export function useResultsOnScreen(poll: Poll, wishes: Wishes): ResultsOnScreen {
  const [wanted, setWanted] = useState(wishes.get(poll.id) ?? null);
  const [reveal, setReveal] = useState<{ readonly revealed: number; readonly rowCount: number } | null>(null);

  useEffect(() => {
    if (reveal === null) return undefined;
    const { revealed, rowCount } = reveal;
    const next = revealed >= rowCount ? null : { revealed: revealed + 1, rowCount };
    const timer = setTimeout(() => setReveal(next), toRevealPauseMs(revealed, rowCount));
    return () => clearTimeout(timer);
  }, [reveal]);

  function toggle(rowCount: number): void {
    const shown = resultsWanted(poll.visibility, wanted) === 'shown';
    // While the last ballots are counted there is no result to reveal yet.
    if (!shown && poll.status === 'closing') return;
    const wish = shown ? 'hidden' : 'shown';
    wishes.set(poll.id, wish);
    setWanted(wish);
    setReveal(!shown && poll.status === 'closed' && rowCount > 0 ? { revealed: 0, rowCount } : null);
  }

  return { wanted, revealed: reveal?.revealed ?? null, toggle };
}
