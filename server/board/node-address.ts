/** Where a node of the shared board is, and what it is called. */
import { Secret } from '../lib/secret.ts';

export type NodeAddress = {
  /** What the ring is made of: the address without its credentials. Whoever computes a place elsewhere needs only this. */
  readonly name: string;
  /** Where it is, with the credentials. */
  readonly url: Secret;
  /** How many times the usual share of polls it takes. */
  readonly weight: number;
  /** How answers name it. */
  readonly servedVia: string;
};

const redisPort = 6_379;
const weightMax = 100;
const portMax = 65_535;

/**
 * Of an address such as `redis://localhost:7000?weight=2&as=7001`: `weight` is its part of the polls, and `as` the port by which answers name it,
 * where the outside knows it by another one. Answers null for one that is wrong.
 */
export function toNodeAddress(url: Secret): NodeAddress | null {
  const parsed = new URL(url.reveal());
  const { protocol, host, port, pathname, searchParams } = parsed;
  const weight = Number(searchParams.get('weight') ?? 1);
  const shownPort = Number(searchParams.get('as') ?? (port === '' ? redisPort : port));
  const isKnown = [...searchParams.keys()].every((key) => key === 'weight' || key === 'as');
  if (!isKnown || host === '' || !isWhole(weight, weightMax) || !isWhole(shownPort, portMax)) return null;
  parsed.search = '';
  const name = `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
  return { name, url: new Secret(parsed.href, name), weight, servedVia: `redis_${shownPort}` };
}

function isWhole(number: number, max: number): boolean {
  return Number.isInteger(number) && number >= 1 && number <= max;
}
