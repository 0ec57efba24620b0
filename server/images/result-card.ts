/** The picture that other sites show of a link to a poll: a ballot paper with the question and, where anyone may see them, the leading options. */

export type CardRow = {
  readonly text: string;
  readonly votes: number;
  /** Tenths of a percent. */
  readonly share: number;
  readonly leads: boolean;
};

export type Card = {
  readonly question: string;
  /** In words, such as "Open · 1,481 ballots". */
  readonly status: string;
  /** null where the results are hidden: then the options stand without figures. */
  readonly rows: readonly CardRow[] | null;
  readonly options: readonly string[];
  readonly accent: string | null;
  /** Where to vote, as people read it. */
  readonly address: string;
};

const width = 1200;
const height = 630;
const margin = 64;
const rowsMax = 4;
const questionLinesMax = 2;
const questionPx = 54;
const rowPx = 30;
/** Below the rows stands the address. */
const footerPx = 104;
/** A bar with the line above it. */
const barStepPxMin = 70;
/** What the figures beside a bar take. */
const figuresPx = 260;
/** How wide a bold character is on average, in parts of the font's size. */
const averageWidth = 0.7;
const ink = '#16202e';
const quiet = '#51607a';
const defaultAccent = '#1d4ed8';

export function toResultCard(card: Card): string {
  const accent = card.accent ?? defaultAccent;
  const lines = wrap(card.question, (width - 2 * margin) / (questionPx * averageWidth), questionLinesMax);
  const rowsTop = 190 + lines.length * questionPx * 1.2;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="DejaVu Sans">
<rect width="${width}" height="${height}" fill="#fbfaf6"/>
<rect x="24" y="24" width="${width - 48}" height="${height - 48}" rx="28" fill="#ffffff" stroke="#d9dce4" stroke-width="2"/>
${toMark(accent)}
<text x="${margin + 62}" y="112" font-size="30" font-weight="700" fill="${ink}">Hustings</text>
<text x="${width - margin}" y="112" font-size="26" fill="${quiet}" text-anchor="end">${escapeXml(card.status)}</text>
${lines.map((line, index) => toText(line, 190 + index * questionPx * 1.2, questionPx, 700)).join('\n')}
${card.rows === null ? toOptions(card.options, rowsTop) : toBars(card.rows, rowsTop, accent)}
<text x="${margin}" y="${height - 56}" font-size="26" fill="${quiet}">${escapeXml(shorten(card.address, 62))}</text>
</svg>`;
}

/** The crossed box. */
function toMark(accent: string): string {
  return `<g transform="translate(${margin} 74) scale(1.85)" fill="none" stroke-linecap="round"><rect x="1.5" y="1.5" width="23" height="23" rx="4.5" stroke="${ink}" stroke-width="2.4"/><path d="M7.6 7.2 18.4 18.8M18.6 7 7.4 19" stroke="${accent}" stroke-width="3.4"/></g>`;
}

function toBars(rows: readonly CardRow[], top: number, accent: string): string {
  const space = height - footerPx - top;
  const shown = rows.slice(0, Math.min(rowsMax, Math.floor(space / barStepPxMin)));
  const step = Math.min(84, space / Math.max(1, shown.length));
  const barWidth = width - 2 * margin;
  const bars = shown.map(({ text, votes, share, leads }, index) => {
    const y = top + index * step;
    const figures = `${votes.toLocaleString('en')} · ${(share / 10).toFixed(1)} %`;
    const fill = leads ? accent : '#a9bdf2';
    return `${toText(shorten(text, 42), y, rowPx - 4, 500, width - margin - figuresPx)}
<text x="${width - margin}" y="${y}" font-size="${rowPx - 4}" fill="${quiet}" text-anchor="end">${escapeXml(figures)}</text>
<rect x="${margin}" y="${y + 12}" width="${barWidth}" height="22" rx="8" fill="#edeff4"/>
<rect x="${margin}" y="${y + 12}" width="${Math.max(share === 0 ? 0 : 16, (barWidth * share) / 1_000)}" height="22" rx="8" fill="${fill}"/>`;
  });
  return bars.join('\n') + toMore(rows.length - shown.length);
}

function toOptions(options: readonly string[], top: number): string {
  const shown = options.slice(0, rowsMax);
  const step = Math.min(64, (height - footerPx - top) / Math.max(1, shown.length));
  const boxes = shown.map((text, index) => {
    const y = top + index * step;
    return `<rect x="${margin + 2}" y="${y - 26}" width="30" height="30" rx="7" fill="none" stroke="#8a94a8" stroke-width="3"/>
<text x="${margin + 52}" y="${y}" font-size="${rowPx}" fill="${ink}">${escapeXml(shorten(text, 52))}</text>`;
  });
  return boxes.join('\n') + toMore(options.length - shown.length);
}

function toMore(count: number): string {
  if (count <= 0) return '';
  return `\n<text x="${width - margin}" y="${height - 56}" font-size="26" fill="${quiet}" text-anchor="end">+${count} more</text>`;
}

/** A line of people's text: from the right where it is written so. */
function toText(text: string, y: number, size: number, weight: number, rightEdge = width - margin): string {
  const isRightToLeft = /^[^\p{L}]*\p{Script=Arabic}|^[^\p{L}]*\p{Script=Hebrew}/u.test(text);
  const place = isRightToLeft ? `x="${rightEdge}" text-anchor="end"` : `x="${margin}"`;
  return `<text ${place} y="${y}" font-size="${size}" font-weight="${weight}" fill="${ink}">${escapeXml(text)}</text>`;
}

/** Breaks a text into lines of about so many characters; what does not fit is cut with an ellipsis. */
function wrap(text: string, charsMax: number, linesMax: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.trim().split(/\s+/u)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (widthOf(longer) <= charsMax || line === '') line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  lines.push(line);
  const shown = lines.slice(0, linesMax).map((each) => shorten(each, charsMax));
  if (lines.length > linesMax) shown[linesMax - 1] = shorten(`${shown[linesMax - 1]} …`, charsMax);
  return shown;
}

/** The text, or its beginning and an ellipsis. Cut between characters as people see them. */
function shorten(text: string, charsMax: number): string {
  if (widthOf(text) <= charsMax) return text;
  let shown = '';
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text)) {
    if (widthOf(shown) + widthOf(segment) > charsMax - 1) break;
    shown += segment;
  }
  return `${shown.trimEnd()}…`;
}

/** In average Latin characters. */
function widthOf(text: string): number {
  let sum = 0;
  for (const character of text) sum += toCharacterWidth(character);
  return sum;
}

function toCharacterWidth(character: string): number {
  if (
    /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Extended_Pictographic}/u.test(
      character,
    )
  )
    return 1.8;
  if (/[WMwm@%]/u.test(character)) return 1.6;
  return /[iljtf.,:;'|! ]/u.test(character) ? 0.65 : 1.05;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** XML takes no control characters, escaped or not. */
function escapeXml(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\uFFFE\uFFFF]/gu, ' ')
    .replaceAll(/[&<>"']/gu, (character) => entities[character] ?? character);
}
