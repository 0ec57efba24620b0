/** Texts of people, made to fit into a picture: what cannot be drawn left out, cut to a width, broken into lines. */
import { widthOf } from './text-width.ts';

export type Font = { readonly px: number; readonly bold: boolean };

/** Made when the first text is too long: making it takes 20 ms, and most servers draw nothing. */
let segmenter: Intl.Segmenter | undefined;
/** Enough of a text for every line of a picture. */
const charsMax = 1_000;

/** Pictures in fonts of many colours, which the renderer leaves blank; and the smileys that DejaVu Sans has in ink. */
const emoji = /\p{RGI_Emoji}/gv;
const smiley = /^[\u{1f600}-\u{1f640}]$/u;
const inkOnly = /^(?!\p{Emoji_Presentation})[\u2190-\u27bf]\ufe0f?$/u;
const controls = /\p{Cc}/gu;
/** What is no character, what only some fonts know, and marks that choose a form or turn the direction of what follows. */
const marks =
  /[\p{Cn}\p{Co}\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\p{Variation_Selector}\ufeff\u{e0000}-\u{e007f}]/gu;

/** On one line, without what would be blank or break the picture. May be empty. */
export function toDrawable(text: string): string {
  return text
    .slice(0, charsMax)
    .toWellFormed()
    .replaceAll(emoji, (found) => (smiley.test(found) || inkOnly.test(found) ? found : ' '))
    .replaceAll(controls, ' ')
    .replaceAll(marks, '')
    .replaceAll(/\s+/gu, ' ')
    .trim();
}

const rightToLeft =
  /^\P{L}*[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;

/** By the first letter, as browsers do with `dir="auto"`. */
export function isRightToLeft(text: string): boolean {
  return rightToLeft.test(text);
}

export function widthPxOf(text: string, { px, bold }: Font): number {
  return widthOf(text, bold) * px;
}

/** The text, or its beginning and an ellipsis. Cut between characters as people see them. */
export function shorten(text: string, widthPx: number, font: Font): string {
  return widthPxOf(text, font) <= widthPx ? text : cut(text, widthPx, font);
}

function cut(text: string, widthPx: number, font: Font): string {
  const shown = takeWithin(text, widthPx - widthPxOf('…', font), font);
  return `${shown.trimEnd()}…`;
}

/** As many characters from the beginning as have room. */
function takeWithin(text: string, widthPx: number, font: Font): string {
  let end = 0;
  let leftPx = widthPx;
  for (const { segment, index } of toCharacters(text)) {
    leftPx -= widthPxOf(segment, font);
    if (leftPx < 0) break;
    end = index + segment.length;
  }
  return text.slice(0, end);
}

/** Lines of words; a word that is longer than a line is broken. Of too many lines the last ends with an ellipsis. */
export function wrap(text: string, widthPx: number, linesMax: number, font: Font): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest !== '' && lines.length < linesMax) {
    const isLast = lines.length === linesMax - 1;
    const line = isLast ? shorten(rest, widthPx, font) : takeLine(rest, widthPx, font);
    rest = isLast ? '' : rest.slice(line.length).trimStart();
    lines.push(line.trimEnd());
  }
  return lines;
}

/** Up to the last space that has room, else as many characters as have. At least one. */
function takeLine(text: string, widthPx: number, font: Font): string {
  const fitting = takeWithin(text, widthPx, font);
  if (fitting === text) return text;
  const space = text[fitting.length] === ' ' ? fitting.length : fitting.lastIndexOf(' ');
  if (space > 0) return text.slice(0, space);
  const [first] = toCharacters(text);
  return fitting === '' ? (first?.segment ?? text) : fitting;
}

/** As people see them. */
function toCharacters(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return segmenter.segment(text);
}
