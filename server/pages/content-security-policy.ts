/** What a page may load and who may frame it (https://www.w3.org/TR/CSP3/). Nothing inline, nothing from elsewhere. */

const directives = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
];

/** `parents`: origins, or `*` for any site. They come from the poll's list, which takes nothing else. */
export function toContentSecurityPolicy(parents: readonly string[]): string {
  const ancestors = parents.length === 0 ? "'none'" : ["'self'", ...parents].join(' ');
  return [...directives, `frame-ancestors ${ancestors}`].join('; ');
}
