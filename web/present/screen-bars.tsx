/** The bars on the projector: label, figures and bar of each option, in rows that share the height of the screen. */
import { Mark } from '../parts/mark.tsx';
import { useSetting, useTexts } from '../parts/page.tsx';
import { Bar } from '../parts/result-bars.tsx';
import { counted, fill, toNumberText, toPercentText } from '../texts/wording.ts';
import { toTextSize, type Arrangement, type RowsShown, type ScreenRow } from './arrangement.ts';
import type { Stage } from './stage.ts';

export type ScreenBarsProps = {
  readonly stage: Stage;
  readonly arrangement: Arrangement;
  readonly shown: RowsShown;
  /** How many rows are on the screen, counted from the last; null: all. */
  readonly revealedCount: number | null;
};

export function ScreenBars({ stage, arrangement, shown, revealedCount }: ScreenBarsProps) {
  const texts = useTexts('present');
  const { rows, rest } = shown;
  const hiddenCount = revealedCount === null ? 0 : rows.length - revealedCount;
  return (
    <ol class={`rows ${toGridClasses(arrangement)}`} aria-label={texts.bars}>
      {rows.map((row, index) =>
        index < hiddenCount ? (
          <li key={row.id} class="row" aria-hidden="true">
            <div class="label">{'\u00a0'}</div>
            <Bar share={0} />
          </li>
        ) : (
          <Row key={row.id} row={row} stage={stage} columns={arrangement.columns} />
        ),
      )}
      {rest === null ? null : <Rest rest={rest} />}
    </ol>
  );
}

/** Long labels are those that do not fit on one line beside their figures. */
const labelLimits = { 1: [30, 44, 90], 2: [14, 22, 44] } as const;

type RowProps = { readonly row: ScreenRow; readonly stage: Stage; readonly columns: 1 | 2 };

function Row({ row, stage, columns }: RowProps) {
  const texts = useTexts('present');
  const won = row.leads && (stage === 'winner' || stage === 'tie');
  const stands = row.leads && stage !== 'reveal';
  return (
    <li class={`row${stands ? ' lead' : ''}${won ? ' won' : ''}`}>
      <div class="label">
        <span class={`text ${toTextSize(row.text, labelLimits[columns])}`}>
          {won ? <Mark /> : null}
          <bdi>{row.text}</bdi>
          {won ? <span class="visually-hidden"> {stage === 'tie' ? texts.tied : texts.winner}</span> : null}
        </span>
        <Figures votes={row.votes} percent={row.percent} />
      </div>
      <Bar share={row.share} />
    </li>
  );
}

function Rest({ rest }: { readonly rest: NonNullable<RowsShown['rest']> }) {
  const texts = useTexts('present');
  const { language } = useSetting();
  return (
    <li class="row rest">
      <div class="label">
        <span class="text">{counted(texts.more, rest.options, language)}</span>
        <Figures votes={rest.votes} percent={rest.percent} />
      </div>
    </li>
  );
}

/** Longer ones step back for the label. */
const figuresLengthMax = 13;

function Figures({ votes, percent }: { readonly votes: number; readonly percent: number }) {
  const texts = useTexts('present');
  const { language } = useSetting();
  const values = { votes: toNumberText(votes, language), percent: toPercentText(percent * 10, language, 0) };
  const text = fill(texts.figures, values);
  return <span class={text.length > figuresLengthMax ? 'num long' : 'num'}>{text}</span>;
}

/** The options before anybody may know how they stand: boxes to be crossed. */
export function ScreenChoices({
  options,
  arrangement,
}: {
  readonly options: readonly { readonly id: string; readonly text: string }[];
  readonly arrangement: Arrangement;
}) {
  const texts = useTexts('present');
  const { language } = useSetting();
  const restCount = options.length - arrangement.named;
  return (
    <ol class={`rows choices ${toGridClasses(arrangement)}`} aria-label={texts.options}>
      {options.slice(0, arrangement.named).map(({ id, text }) => (
        <li key={id} class="choice">
          <span class="box" aria-hidden="true" />
          <span class={`text ${toTextSize(text, labelLimits[arrangement.columns])}`}>
            <bdi>{text}</bdi>
          </span>
        </li>
      ))}
      {restCount > 0 ? <li class="choice rest">{counted(texts.more, restCount, language)}</li> : null}
    </ol>
  );
}

function toGridClasses({ columns, rowsPerColumn }: Arrangement): string {
  return `columns-${columns} rows-${rowsPerColumn}`;
}
