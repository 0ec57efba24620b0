/** The word that was probably meant, for "did you mean". Undefined when none is near. */
export function closestWord(given: string, words: readonly string[]): string | undefined {
  const mistakesMax = Math.max(2, Math.floor(given.length / 3));
  return words
    .map((word) => ({ word, mistakes: editDistance(given, word) }))
    .filter(({ mistakes }) => mistakes <= mistakesMax)
    .toSorted((a, b) => a.mistakes - b.mistakes)[0]?.word;
}

/** Levenshtein's distance: how many letters to insert, drop or replace. One row of the matrix at a time. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [index, letter] of from.split('').entries()) {
    const next = [index + 1];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (row[column - 1] ?? 0) + (letter === to[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
