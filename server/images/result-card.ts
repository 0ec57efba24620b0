/** The picture that other sites show of a link to a poll: a ballot paper with the question and, where anyone may see them, the leading options. */
import { isRightToLeft, shorten, toDrawable, widthPxOf, wrap, type Font } from './fit-text.ts';

export type CardOption = {
  readonly text: string;
  /** Its place on the ballot, from 1. It stands for a text that cannot be drawn. */
  readonly place: number;
  /** null where the results are hidden. */
  readonly result: CardResult | null;
};

export type CardResult = {
  readonly votes: number;
  /** Tenths of a percent. */
  readonly share: number;
  readonly leads: boolean;
};

export type Card = {
  readonly question: string;
  /** In words, such as "Open · 1,481 ballots". */
  readonly status: string;
  /** In the order in which they are shown; those for which there is no room are counted. */
  readonly options: readonly CardOption[];
  readonly accent: string | null;
  /** Where to vote, as people read it. */
  readonly address: string;
};

const width = 1200;
const height = 630;
const margin = 64;
const contentWidth = width - 2 * margin;
const optionsMax = 5;
const lineHeight = 1.2;
const questionTop = 124;
/** The largest in which the question has room; what is still too long is cut. */
const questionSizes = [
  { px: 58, linesMax: 1 },
  { px: 46, linesMax: 2 },
  { px: 40, linesMax: 2 },
] as const;
const gapBelowQuestion = 26;
const rowsBottom = 546;
const rowStep = { min: 56, max: 112 };
const smallPx = 26;
const ink = '#16202e';
const quiet = '#51607a';
const track = '#edeff4';
const bar = '#a9bdf2';
const houseAccent = '#1d4ed8';

export function toResultCard(card: Card): string {
  const question = toDrawable(card.question) || 'A poll';
  const pen = createPen(isRightToLeft(question));
  const { lines, font } = fitQuestion(question);
  const rowsTop = questionTop + lines.length * font.px * lineHeight + gapBelowQuestion;
  const shown = card.options.slice(0, Math.min(optionsMax, Math.floor((rowsBottom - rowsTop) / rowStep.min)));
  const step = Math.min(rowStep.max, (rowsBottom - rowsTop) / Math.max(1, shown.length));
  const more = card.options.length - shown.length;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="DejaVu Sans">`,
    `<rect width="${width}" height="${height}" fill="#fbfaf6"/>`,
    `<rect x="24" y="24" width="${width - 48}" height="${height - 48}" rx="28" fill="#ffffff" stroke="#d9dce4" stroke-width="2"/>`,
    toHeader(pen, card.status),
    ...lines.map((line, index) => pen.text(line, questionTop + (index + 0.84) * font.px * lineHeight, { font })),
    ...shown.map((option, index) => toRow(pen, option, { top: rowsTop + index * step, step, accent: card.accent })),
    pen.text(shorten(toDrawable(card.address), contentWidth - 200, small), height - 46, { font: small, fill: quiet }),
    more > 0 ? pen.text(`+${more} more`, height - 46, { font: small, fill: quiet, fromEnd: 0 }) : '',
    '</svg>',
  ].join('\n');
}

const small: Font = { px: smallPx, bold: false };

function fitQuestion(question: string): { readonly lines: readonly string[]; readonly font: Font } {
  for (const { px, linesMax } of questionSizes) {
    const font = { px, bold: true };
    const lines = wrap(question, contentWidth, linesMax + 1, font);
    if (lines.length <= linesMax) return { lines, font };
  }
  const { px, linesMax } = questionSizes[2];
  const font = { px, bold: true };
  return { lines: wrap(question, contentWidth, linesMax, font), font };
}

/** The crossed box and the name, with the status opposite. */
function toHeader(pen: Pen, status: string): string {
  const baseline = 98;
  const box = `<g transform="translate(${pen.left(0, 42)} ${baseline - 35}) scale(1.62)" fill="none" stroke-linecap="round"><rect x="1.5" y="1.5" width="23" height="23" rx="4.5" stroke="${ink}" stroke-width="2.4"/><path d="M7.6 7.2 18.4 18.8M18.6 7 7.4 19" stroke="${houseAccent}" stroke-width="3.4"/></g>`;
  return [
    box,
    pen.text('Hustings', baseline, { font: { px: 28, bold: true }, fromStart: 56 }),
    pen.text(toDrawable(status), baseline, { font: small, fill: quiet, fromEnd: 0 }),
  ].join('\n');
}

type Place = { readonly top: number; readonly step: number; readonly accent: string | null };

function toRow(pen: Pen, option: CardOption, place: Place): string {
  const text = toDrawable(option.text) || `Option ${option.place}`;
  return option.result === null ? toBox(pen, text, place) : toBar(pen, text, option.result, place);
}

/** An option to tick. */
function toBox(pen: Pen, text: string, { top, step }: Place): string {
  const px = Math.min(34, step * 0.46);
  const font = { px, bold: false };
  return [
    `<rect x="${pen.left(1.5, px)}" y="${top + px * 0.1}" width="${px}" height="${px}" rx="7" fill="none" stroke="#8a94a8" stroke-width="3"/>`,
    pen.text(shorten(text, contentWidth - px * 1.6, font), top + px * 0.96, { font, fromStart: px * 1.6 }),
  ].join('\n');
}

/** The option, its votes and its share; below, the share as a bar. */
function toBar(pen: Pen, text: string, { votes, share, leads }: CardResult, { top, step, accent }: Place): string {
  const px = Math.min(32, Math.max(22, step * 0.36));
  const font = { px, bold: false };
  const bold = { px, bold: true };
  const thickness = Math.min(34, step * 0.3);
  const figures = { votes: votes.toLocaleString('en'), share: `${(share / 10).toFixed(1)} %` };
  const shareColumn = widthPxOf('100.0 %', font) + px * 0.4;
  const textWidth = contentWidth - shareColumn - widthPxOf(figures.votes, bold) - px;
  const baseline = top + px * 0.86;
  const barTop = top + px * 1.26;
  const length = votes > 0 ? Math.max(thickness / 2, (contentWidth * share) / 1_000) : 0;
  // A colour of somebody's choice may be as pale as the ground.
  const outline = leads && accent !== null ? ` stroke="${ink}" stroke-opacity="0.5"` : '';
  const toRect = (rectWidth: number, fill: string, more = ''): string =>
    `<rect x="${pen.left(0, rectWidth)}" y="${barTop}" width="${rectWidth}" height="${thickness}" rx="${Math.min(8, thickness / 2)}" fill="${fill}"${more}/>`;
  return [
    pen.text(shorten(text, textWidth, font), baseline, { font }),
    pen.text(figures.votes, baseline, { font: bold, fromEnd: shareColumn }),
    pen.text(figures.share, baseline, { font, fill: quiet, fromEnd: 0 }),
    toRect(contentWidth, track),
    length > 0 ? toRect(length, leads ? (accent ?? houseAccent) : bar, outline) : '',
  ].join('\n');
}

type Ink = { readonly font: Font; readonly fill?: string } & (
  | { readonly fromStart?: number }
  | { readonly fromEnd: number }
);

/** Places things on the paper, counted from where lines begin: the right where the question is written so. */
type Pen = {
  /** The left edge of something so wide that stands so far from where lines begin. */
  left(fromStart: number, thingWidth: number): number;
  text(text: string, baseline: number, how: Ink): string;
};

function createPen(fromRight: boolean): Pen {
  return {
    left: (fromStart, thingWidth) => (fromRight ? width - margin - fromStart - thingWidth : margin + fromStart),
    text(text, baseline, { font, fill = ink, ...side }) {
      const isAtEnd = 'fromEnd' in side;
      const inset = margin + (isAtEnd ? side.fromEnd : (side.fromStart ?? 0));
      const isAtRight = isAtEnd !== fromRight;
      const place = isAtRight ? `x="${width - inset}" text-anchor="end"` : `x="${inset}"`;
      const weight = font.bold ? ' font-weight="700"' : '';
      return `<text ${place} y="${baseline}" font-size="${font.px}"${weight} fill="${fill}">${escapeXml(embed(text))}</text>`;
    },
  };
}

/** Lines begin from the left for the renderer, so that a question mark would stand at the wrong end: such a text is embedded (UAX 9). */
function embed(text: string): string {
  return isRightToLeft(text) ? `\u202b${text}\u202c` : text;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeXml(text: string): string {
  return text.replaceAll(/[&<>"']/gu, (character) => entities[character] ?? character);
}
