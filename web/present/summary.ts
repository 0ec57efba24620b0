/** What a screen reader hears of the projector page: one sentence or two for what a glance takes in. */
import type { Language } from '../../protocol/pages.ts';
import type { Catalogue } from '../texts/en.ts';
import { counted, fill, toPercentText } from '../texts/wording.ts';
import type { RowsShown, ScreenRow } from './arrangement.ts';
import type { Stage } from './stage.ts';

export type SummaryFacts = {
  readonly stage: Stage;
  readonly visibility: keyof Catalogue['present']['concealed'];
  readonly question: string;
  /** Counted ballots. */
  readonly total: number;
  readonly shown: RowsShown;
};

type SummaryTexts = Pick<Catalogue, 'common' | 'present'>;

/** More figures than these nobody keeps in mind; all of them stand in the list of the page. */
const figuresMax = 5;

export function toSummary(facts: SummaryFacts, { common, present }: SummaryTexts, language: Language): string {
  const { stage, question, total, shown, visibility } = facts;
  const { say } = present;
  const ballots = counted(common.ballots, total, language);
  const figures = toFigures(shown, say, language);
  const leaders = shown.rows.filter(({ leads }) => leads);
  const votes = counted(common.votes, leaders[0]?.votes ?? 0, language);
  switch (stage) {
    case 'waiting':
      return fill(say.waiting, { question });
    case 'concealed':
      return present.concealed[visibility];
    case 'suspense':
      return fill(say.suspense, { ballots });
    case 'live':
      return fill(say.live, { ballots, figures });
    case 'locked':
    case 'reveal':
      return fill(say.locked, { ballots });
    case 'winner':
      return fill(say.winner, { option: toNames(leaders), votes, ballots, figures });
    case 'tie':
      return fill(say.tie, { options: toNames(leaders), votes, ballots, figures });
    case 'no_votes':
      return say.noVotes;
  }
}

function toNames(rows: readonly ScreenRow[]): string {
  const names = rows.slice(0, figuresMax).map(({ text }) => text);
  return [...names, ...(rows.length > figuresMax ? [`+${rows.length - figuresMax}`] : [])].join(', ');
}

function toFigures({ rows, rest }: RowsShown, say: Catalogue['present']['say'], language: Language): string {
  const named = rows.toSorted((a, b) => b.votes - a.votes).slice(0, figuresMax);
  const others = [...rows.filter((row) => !named.includes(row)), ...(rest === null ? [] : [rest])];
  const toPercent = (percent: number): string => toPercentText(percent * 10, language, 0);
  const figures = named.map(({ text, percent }) => fill(say.figure, { option: text, percent: toPercent(percent) }));
  const percent = toPercent(others.reduce((sum, other) => sum + other.percent, 0));
  return `${[...figures, ...(others.length === 0 ? [] : [fill(say.rest, { percent })])].join(', ')}.`;
}
