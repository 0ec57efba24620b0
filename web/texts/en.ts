/** Every text of the pages in English: one section a page, and what they share. */
import { common } from './en/every-page.ts';
import { home } from './en/home.ts';
import { join } from './en/join.ts';
import { vote } from './en/vote.ts';
import { results } from './en/results.ts';
import { present } from './en/present.ts';
import { manage } from './en/manage.ts';
import { leaderboard } from './en/leaderboard.ts';
import { receipt } from './en/receipt.ts';
import { problem } from './en/problem.ts';
import type { Counted } from './wording.ts';

export const en = { common, home, join, vote, results, present, manage, leaderboard, receipt, problem };

/** What a catalogue of another language must have: the same texts, of the same kind. */
export type Catalogue = Wordings<typeof en>;

type Wordings<Texts> = {
  readonly [Key in keyof Texts]: Texts[Key] extends string
    ? string
    : Texts[Key] extends Counted
      ? Counted
      : Wordings<Texts[Key]>;
};
