/** The names by which people reach a poll: the slug in its address and the join code on the screen. */
import { isSlug, slugCharsMax } from './check-poll.ts';

const joinCodeLength = 6;
/** No 0, O, 1, I, L: nobody can mix them up on a projector. 31^6 = 887 million codes. */
const joinCodeAlphabet = '23456789ABCDEFGHJKMNPQRSTUVWXYZ';
const slugSuffixLength = 4;

/** Answers a whole number from 0 up to but not including `below`, each equally likely. */
export type Draw = (below: number) => number;

export function drawJoinCode(draw: Draw): string {
  return drawText(joinCodeAlphabet, joinCodeLength, draw);
}

/** The code that somebody typed, as it is stored: upper case, without dashes and spaces. */
export function toJoinCode(typed: string): string {
  return typed.replaceAll(/[\s-]/gu, '').toUpperCase();
}

/** A slug from the question: its letters and digits without accents, and a drawn suffix that keeps it unique. */
export function drawSlug(question: string, draw: Draw): string {
  const words = question
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{Mark}/gu, '')
    .split(/[^a-z0-9]+/u)
    .filter((word) => word !== '');
  const suffix = drawText(joinCodeAlphabet.toLowerCase(), slugSuffixLength, draw);
  const wordCharsMax = slugCharsMax - slugSuffixLength - 1;
  const stem = words.join('-').slice(0, wordCharsMax).replace(/-+$/u, '');
  // A stem may be empty, or begin like an id; with a word in front it is neither.
  return isSlug(`${stem}-${suffix}`)
    ? `${stem}-${suffix}`
    : ['poll', stem.slice(0, wordCharsMax - 5).replace(/-+$/u, ''), suffix].filter((part) => part !== '').join('-');
}

function drawText(alphabet: string, length: number, draw: Draw): string {
  return Array.from({ length }, () => alphabet[draw(alphabet.length)]).join('');
}
