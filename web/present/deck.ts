/** The polls that the presenter steps through: those that the server names, then those that this browser made. */

export type Neighbours = { readonly previous: string | null; readonly next: string | null };

/** `gone`: slugs that turned out to lead nowhere. */
export function toNeighbours(
  slug: string,
  deck: readonly string[],
  managed: readonly string[],
  gone: ReadonlySet<string>,
): Neighbours {
  const slugs = [...new Set([...deck, ...managed, slug])].filter((each) => each === slug || !gone.has(each));
  const index = slugs.indexOf(slug);
  return { previous: slugs[index - 1] ?? null, next: slugs[index + 1] ?? null };
}

/** The slugs in what this browser remembers of the polls that it made. Anything may stand there: what does not fit is left out. */
export function parseManaged(text: string | null): string[] {
  const value = parseJson(text ?? '[]');
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry: unknown) => {
    const known = typeof entry === 'object' && entry !== null && 'slug' in entry ? entry.slug : null;
    return typeof known === 'string' && known !== '' ? [known] : [];
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Another program wrote there: the same as nothing.
    return null;
  }
}
