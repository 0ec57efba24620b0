/** Sets of IP addresses, written as `10.1.2.3`, `10.0.0.0/8`, `fd00::/8`, or as one of the words below. */
import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** Ranges that have a name: the machine itself, and the networks that are not on the Internet (RFC 1918, RFC 4193). */
const namedRanges: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

type Family = 'ipv4' | 'ipv6';
type Range = { readonly network: string; readonly family: Family; readonly prefixBits: number };

/** Whether a text names a range. Ranges of all addresses (`/0`) are none: nobody means them. */
export function isAddressRange(text: string): boolean {
  return Object.hasOwn(namedRanges, text) || toRange(text) !== null;
}

/** Tells which addresses are in one of the ranges. @throws {Error} for a text that names none */
export function toAddressTest(texts: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const text of texts.flatMap((each) => namedRanges[each] ?? [each])) {
    const range = toRange(text);
    if (range === null) throw new Error(`${text} is no range of addresses.`);
    list.addSubnet(range.network, range.prefixBits, range.family);
  }
  return (address) => {
    const family = familyOf(address);
    return family !== null && list.check(address, family);
  };
}

/** One spelling for one address: an IPv4 address that came through an IPv6 socket is an IPv4 address, and a zone is left out. */
export function toPlainAddress(address: string): string {
  const plain = address.split('%', 1)[0] ?? '';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/iu.exec(plain)?.[1];
  return mapped ?? plain;
}

function toRange(text: string): Range | null {
  const [, network = '', prefix] = /^([^/%]+)(?:\/([1-9]\d{0,2}))?$/u.exec(text) ?? [];
  const family = familyOf(network);
  // Addresses are compared as IPv4 where they are, so that such a range would never match.
  if (family === null || toPlainAddress(network) !== network) return null;
  const bitsMax = family === 'ipv4' ? 32 : 128;
  const prefixBits = prefix === undefined ? bitsMax : Number(prefix);
  return prefixBits <= bitsMax ? { network, family, prefixBits } : null;
}

function familyOf(address: string): Family | null {
  if (isIPv4(address)) return 'ipv4';
  return isIPv6(address) ? 'ipv6' : null;
}
