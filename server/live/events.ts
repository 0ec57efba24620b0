/** Server-sent events: the same frames over an HTTP answer that does not end (HTML Standard, section 9.2). */
import type { ServerResponse } from 'node:http';
import type { CloseCode } from '../../protocol/close-codes.ts';
import type { Keeper, Seat } from './keeper.ts';
import { fullBytes, type Connection, type Subscriber } from './subscriber.ts';

/** How long a browser waits before it connects again. */
const retryMs = 1_000;

/** Turns an answer whose headers are not sent yet into an event stream. `follow` begins the subscription and answers how to end it. */
export function serveEvents(
  response: ServerResponse,
  headers: Readonly<Record<string, string | string[]>>,
  parts: { readonly keeper: Keeper; readonly seat: Seat; readonly follow: (subscriber: Subscriber) => () => void },
): void {
  response.writeHead(200, {
    ...headers,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // nginx gathers answers before it passes them on, unless it is told not to.
    'x-accel-buffering': 'no',
  });
  response.write(`retry: ${retryMs}\n\n`);
  let sentCount = 0;
  const connection: Connection = {
    send(frame) {
      if (response.writableEnded) return;
      sentCount += 1;
      response.write(frame.eventBytes());
    },
    full: () => response.writableLength > fullBytes,
    backlogBytes: () => response.writableLength,
    sentCount: () => sentCount,
    // HTTP has no way to ask: whoever is gone lets the answers pile up, and that ends the connection.
    probe: () => true,
    end(_reason: CloseCode) {
      if (response.writableLength > 0) response.destroy();
      else response.end();
    },
  };
  parts.keeper.keep(connection, 'events');
  const leave = parts.follow(connection);
  response.once('close', () => {
    leave();
    parts.keeper.forget(connection);
    parts.seat.release();
  });
}
