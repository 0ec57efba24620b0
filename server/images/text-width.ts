/**
 * How wide a line of text is in DejaVu Sans, in parts of its size, without reading the font: advance widths of ASCII as in the font's table
 * `hmtx` (version 2.37, thousandths of an em), letters with marks as those without, and for all else a width that is rather too large.
 */

const regularWidths =
  '318 401 460 838 636 950 780 275 390 390 500 838 318 361 318 337 636 636 636 636 636 636 636 636 636 636 337 337 838 838 838 531 ' +
  '1000 684 686 698 770 632 575 775 752 295 295 656 557 863 748 787 603 787 695 635 611 732 684 989 685 611 685 390 337 390 838 500 ' +
  '500 613 635 550 635 615 352 635 634 278 278 579 278 974 634 612 635 635 411 521 392 634 592 818 592 592 525 636 337 636 838';
const boldWidths =
  '348 456 521 838 696 1002 872 306 457 457 523 838 380 415 380 365 696 696 696 696 696 696 696 696 696 696 400 400 838 838 838 580 ' +
  '1000 774 762 734 830 683 683 821 837 372 372 775 637 995 837 850 733 850 770 720 682 812 774 1103 771 724 725 457 365 457 838 500 ' +
  '500 675 716 593 716 678 435 716 712 343 343 665 343 1042 712 687 716 716 493 595 478 712 652 924 645 652 582 712 365 712 838';

type Weight = { readonly ascii: readonly number[]; readonly letter: number };

const firstPrintable = 0x20;
const regular: Weight = { ascii: toWidths(regularWidths), letter: 0.75 };
const bold: Weight = { ascii: toWidths(boldWidths), letter: 0.85 };
const wideWidth = 1.05;
/** How wide letters of the narrow scripts are, in parts of other letters. */
const narrowing = 0.85;

const withoutWidth = /^[\p{M}\p{Cf}]$/u;
const narrow = /^[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Greek}]$/u;
/** Characters that fill a square, in whatever font has them. */
const wide =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Extended_Pictographic}\u3000-\u303f\uff00-\uff60]$/u;

/** In parts of the font's size: a text of width 10 is 300 pixels wide where its size is 30. */
export function widthOf(text: string, isBold: boolean): number {
  const weight = isBold ? bold : regular;
  let sum = 0;
  // Without composition every letter of Latin is ASCII with marks, but Hangul falls to pieces that stand in one square.
  for (const character of text) sum += toWidth(character.normalize('NFD'), character, weight);
  return sum;
}

function toWidth(decomposed: string, character: string, { ascii, letter }: Weight): number {
  const known = ascii[(decomposed.codePointAt(0) ?? 0) - firstPrintable];
  if (known !== undefined) return known;
  if (withoutWidth.test(character)) return 0;
  if (wide.test(character)) return wideWidth;
  return narrow.test(character) ? letter * narrowing : letter;
}

function toWidths(thousandths: string): number[] {
  return thousandths.split(' ').map((width) => Number(width) / 1_000);
}
