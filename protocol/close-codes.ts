/** Why the server ends a WebSocket. 4000 to 4499: connect again, after a pause. 4500 to 4999: do not. */

export type CloseCode = { readonly code: number; readonly reason: string };

export const closeCodes = {
  /** The server stops or restarts. */
  shutting_down: { code: 4001, reason: 'shutting_down' },
  /** Nothing came from the client for as long as two heartbeats. */
  idle: { code: 4002, reason: 'idle' },
  /** A mistake of the server. */
  internal: { code: 4004, reason: 'internal' },
  /** The client does not read as fast as the server sends. The latest state is in the snapshot of the next connection. */
  subscriber_slow: { code: 4008, reason: 'subscriber_slow' },
  /** Too many messages in a minute. */
  rate_limited: { code: 4029, reason: 'rate_limited' },
  /** Too many sockets from one address, or in all. */
  too_many_sockets: { code: 4030, reason: 'too_many_sockets' },
  /** A message that is no JSON, of an unknown type, or longer than 4 KiB. */
  request_malformed: { code: 4500, reason: 'request_malformed' },
  /** The page that opened the socket is of an origin that may not. */
  origin_forbidden: { code: 4503, reason: 'origin_forbidden' },
} as const satisfies Record<string, CloseCode>;

/** Whether a client does well to connect again after this code. Codes below 4000 come from the network. */
export function mayReconnect(code: number): boolean {
  return code < 4500;
}
