/** In development: pages reload when a server that was started anew answers, be it for a change of its own or of the pages. */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Contract } from '../http/app.ts';

/** How soon a page asks again for a server that is starting. */
const reconnectMs = 300;

/**
 * The script that every page loads in development. It holds a stream only while its page is seen, because a browser opens no more
 * than six connections to a server that speaks HTTP/1.1, and somebody who builds pages has many of them open.
 */
function toReloadScript(start: string): string {
  return `const start = ${JSON.stringify(start)};
let events = null;

function listen() {
  events?.close();
  events = null;
  if (document.visibilityState !== 'visible') return;
  events = new EventSource('/dev/events');
  events.onmessage = ({ data }) => {
    if (data !== start) location.reload();
  };
  events.onerror = () => {
    events?.close();
    setTimeout(listen, ${reconnectMs});
  };
}

document.addEventListener('visibilitychange', listen);
listen();
`;
}

export function createDevRoutes(): Contract {
  const start = randomUUID();
  const streams = new Set<ServerResponse>();
  return {
    openToAnyOrigin: null,
    register(app) {
      app.addHook('preClose', (done) => {
        for (const stream of streams) stream.end();
        done();
      });

      app.get('/dev-reload.js', { schema: { hide: true } }, (_request, reply) =>
        reply
          .type('text/javascript; charset=utf-8')
          .header('cache-control', 'no-store')
          .header('x-content-type-options', 'nosniff')
          .send(toReloadScript(start)),
      );

      app.get('/dev/events', { exposeHeadRoute: false, schema: { hide: true } }, (_request, reply) => {
        reply.hijack();
        const stream = reply.raw;
        streams.add(stream);
        stream.once('close', () => streams.delete(stream));
        stream.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
        stream.write(`data: ${start}\n\n`);
      });
    },
  };
}
