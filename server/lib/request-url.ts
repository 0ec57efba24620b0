/** The target of a request as a URL, whose host says nothing. Two slashes at the beginning of a path name no host; what is no target at all counts as `/`. */
export function toRequestUrl(target: string): URL {
  const base = 'http://any';
  return URL.parse(target.startsWith('/') ? base + target : target, base) ?? new URL('/', base);
}
