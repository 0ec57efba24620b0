/** Everything that the screen is drawn from. */
import type { LivePoll } from '../live/use-live-poll.ts';
import { toArrangement, toRowsShown, type Arrangement, type RowsShown } from './arrangement.ts';
import { toStage, type ResultsWanted, type Stage } from './stage.ts';

export type Scene = LivePoll & {
  readonly stage: Stage;
  readonly arrangement: Arrangement;
  readonly shown: RowsShown;
  /** Rows that are on the screen in a revealing; null: there is none under way. */
  readonly revealed: number | null;
};

export type SceneWishes = { readonly wanted: ResultsWanted | null; readonly revealed: number | null };

export function toScene(live: LivePoll, { wanted, revealed }: SceneWishes): Scene {
  const { poll, tally } = live;
  const order = poll.status === 'closed' ? 'votes' : 'ballot';
  const shown = toRowsShown(poll.options, tally ?? { counts: [] }, order);
  const stage = toStage({
    status: poll.status,
    visibility: poll.visibility,
    seesTally: tally !== null,
    leaderCount: shown.rows.filter(({ leads }) => leads).length,
    wanted,
    revealing: revealed !== null,
  });
  return { ...live, stage, arrangement: toArrangement(poll.options.length), shown, revealed };
}
