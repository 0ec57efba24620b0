/** Pages of somebody else: a small server of another site, at another host name. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export type Site = { readonly origin: string };

/**
 * Documents by their path. At `localhost` it is another site to a browser, because the tests' own servers are at 127.0.0.1; there it is
 * another origin of the same site, whose frames get cookies.
 */
export async function serveSite(
  documents: Readonly<Record<string, string>>,
  hostname: 'localhost' | '127.0.0.1' = 'localhost',
): Promise<Site> {
  const server = createServer((request, response) => {
    const document = documents[request.url ?? ''];
    response.statusCode = document === undefined ? 404 : 200;
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(document ?? 'Nothing here.');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { origin: `http://${hostname}:${(server.address() as AddressInfo).port}` }; // It listens on TCP.
}
