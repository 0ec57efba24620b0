/** A way to a server whose connections end in the middle of a conversation. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Each connection is reset when its client has sent so many chunks, the last of which do not arrive. Answers the port; it ends with the test. */
export async function startCuttingProxy(target: string, chunkCount: number): Promise<number> {
  const [host = '', port] = target.split(':');
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = connect(Number(port), host);
    let chunks = 0;
    client.on('data', (chunk) => {
      chunks += 1;
      if (chunks < chunkCount) server.write(chunk);
      else server.destroy();
    });
    server.pipe(client);
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
    client.once('close', () => server.destroy());
    server.once('close', () => client.resetAndDestroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  const address = proxy.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
