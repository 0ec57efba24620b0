/**
 * Who sent a request, where a proxy may stand between. A proxy that is trusted says so in three headers: `X-Forwarded-For`
 * has the addresses that a request came through, `X-Forwarded-Proto` and `X-Forwarded-Host` have the scheme and the host that
 * the client used. Anybody can send these headers, so those of all others are as good as not sent.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { toAddressTest, toPlainAddress } from './address-ranges.ts';

export type Forwarding = {
  /** Whether the headers of somebody at this address are believed. null: nobody's are. */
  readonly trusts: ((address: string) => boolean) | null;
  /** The address of the client, by which it is counted and limited. Empty where its connection is gone already. */
  addressOf(message: Pick<IncomingMessage, 'headers' | 'socket'>): string;
  /**
   * Leaves of the three headers only what is to be believed, one value each. Every request goes through it before anything else
   * reads its headers, so that whoever has the headers has the truth.
   */
  settle(message: Pick<IncomingMessage, 'headers' | 'socket'>): void;
};

export type AddressOf = Forwarding['addressOf'];

/** `203.0.113.9:5555`, `[2001:db8::9]:5555`: some gateways name the port, too. */
const addressWithPort = /^(?:\[(?<v6>[\da-f:.]+)\]|(?<v4>[\d.]+))(?::\d{1,5})?$/iu;
const hostPattern = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/iu;

/** `trusted`: the addresses of proxies, as ranges. */
export function createForwarding(trusted: readonly string[]): Forwarding {
  const trusts = toAddressTest(trusted);

  /** From the peer to the client: the first address that is nobody's whom we trust. Everything before it may be made up. */
  const addressOf: AddressOf = ({ headers, socket }) => {
    let address = toPlainAddress(socket.remoteAddress ?? '');
    const claims = String(headers['x-forwarded-for'] ?? '').split(',');
    while (trusts(address)) {
      const claimed = toPlainAddress(withoutPort(claims.pop()?.trim() ?? ''));
      if (isIP(claimed) === 0) return address;
      address = claimed;
    }
    return address;
  };

  return {
    trusts: trusted.length === 0 ? null : (address) => trusts(toPlainAddress(address)),
    addressOf,
    settle(message) {
      const { headers, socket } = message;
      if (!isForwarded(headers)) return;
      const believed = trusts(toPlainAddress(socket.remoteAddress ?? ''));
      headers['x-forwarded-for'] = believed ? addressOf(message) : undefined;
      headers['x-forwarded-proto'] = believed ? toProtocol(lastOf(headers['x-forwarded-proto'])) : undefined;
      headers['x-forwarded-host'] = believed ? toHost(lastOf(headers['x-forwarded-host'])) : undefined;
    },
  };
}

/** The scheme and the host that the client used, where a proxy says so. Of headers that are settled. */
export function forwardedOf(headers: IncomingHttpHeaders): {
  readonly protocol: string | undefined;
  readonly host: string | undefined;
} {
  return { protocol: lastOf(headers['x-forwarded-proto']), host: lastOf(headers['x-forwarded-host']) };
}

function isForwarded(headers: IncomingHttpHeaders): boolean {
  return (
    headers['x-forwarded-for'] !== undefined ||
    headers['x-forwarded-proto'] !== undefined ||
    headers['x-forwarded-host'] !== undefined
  );
}

/** What the proxy next to us has said stands last. */
function lastOf(value: string | string[] | undefined): string | undefined {
  return value === undefined ? undefined : String(value).split(',').at(-1)?.trim();
}

function withoutPort(claim: string): string {
  const { v6, v4 } = addressWithPort.exec(claim)?.groups ?? {};
  return v6 ?? v4 ?? claim;
}

function toProtocol(text: string | undefined): string | undefined {
  const word = text?.toLowerCase();
  return word === 'http' || word === 'https' ? word : undefined;
}

function toHost(text: string | undefined): string | undefined {
  return text !== undefined && hostPattern.test(text) ? text : undefined;
}
