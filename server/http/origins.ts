/** Where a request comes from: a page of ours, a page that may use us, or a page of somebody else. */
import type { IncomingHttpHeaders } from 'node:http';
import { forwardedOf } from '../lib/forwarding.ts';
import type { HttpOptions } from './parts.ts';

export type OriginOptions = Pick<HttpOptions, 'publicUrl' | 'corsOrigins'>;

/**
 * Whether the request was made by a page of ours or by a program. Browsers say so in Sec-Fetch-Site, older ones in Origin alone.
 * Our pages are those at the public address, and those at the address that the browser used: over HTTP or HTTPS, unless a proxy says which.
 */
export function isOwnPage(headers: IncomingHttpHeaders, { publicUrl }: Pick<OriginOptions, 'publicUrl'>): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const { origin } = headers;
  if (origin === undefined || origin === publicUrl) return true;
  const { protocol, host = headers.host } = forwardedOf(headers);
  const protocols = protocol === undefined ? ['http', 'https'] : [protocol];
  return protocols.some((each) => origin === `${each}://${host}`);
}

/** Whether a browser says that a page of ours made the request. All of them name the origin where a request is to change something. */
export function isSurelyOwnPage(headers: IncomingHttpHeaders, options: Pick<OriginOptions, 'publicUrl'>): boolean {
  const saysWhence = headers['sec-fetch-site'] !== undefined || headers.origin !== undefined;
  return saysWhence && isOwnPage(headers, options);
}

/** Whether a page of ours, a page of an origin that is configured, or a program made the request. For WebSockets, which no other rule of browsers keeps from anybody. */
export function isOurOrigin(headers: IncomingHttpHeaders, options: OriginOptions): boolean {
  const { origin } = headers;
  const { corsOrigins } = options;
  if (corsOrigins === '*' || (origin !== undefined && corsOrigins.includes(origin))) return true;
  return isOwnPage({ ...headers, 'sec-fetch-site': undefined }, options);
}
