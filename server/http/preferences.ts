/** What a client prefers, by the headers in which it lists what it takes. */

/** Browsers name text/html and prefer it; curl and load balancers accept anything, and programs name JSON. */
export function prefersHtml(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  const html = qualityOf(accept, (range) => range === 'text/html');
  const json = qualityOf(accept, (range) => range === 'application/json');
  if (html !== json) return html > json;
  return html > 0 && accept.indexOf('text/html') < accept.indexOf('application/json');
}

/** The highest quality that the header gives to a range that fits (RFC 9110, section 12.4.2); 0 where none does. */
export function qualityOf(header: string, fits: (range: string) => boolean): number {
  let highest = 0;
  for (const range of header.toLowerCase().split(',')) {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim());
    if (!fits(name)) continue;
    const quality = Number(parameters.find((part) => part.startsWith('q='))?.slice(2) ?? 1);
    if (Number.isFinite(quality)) highest = Math.max(highest, quality);
  }
  return highest;
}
