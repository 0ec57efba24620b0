/** Free ports for services that this machine's own programs must not get in the way of. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { isCode } from './system-code.ts';

/**
 * Below the range from which systems take the ports of outgoing connections (Linux 32768, macOS 49152). Inside that range a
 * client that keeps trying to reach a service that was killed would one day be given the service's own port, reach itself and
 * keep the service from coming back.
 */
const portMin = 15_000;
const portMax = 31_999;
const triesMax = 100;

/** A port of 127.0.0.1 that nobody listens on now. Another program may still take it first; then the start fails and says so. */
export async function findFreePort(): Promise<number> {
  for (let tries = 0; tries < triesMax; tries += 1) {
    const port = randomInt(portMin, portMax + 1);
    if (await isFree(port)) return port;
  }
  throw new Error(`None of ${triesMax} ports between ${portMin} and ${portMax} is free.`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  } catch (error) {
    if (isCode(error, 'EADDRINUSE', 'EACCES')) return false;
    throw error;
  }
  server.close();
  await once(server, 'close');
  return true;
}

/** Whether somebody listens there now. */
export async function answersOn(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    if (isCode(error, 'ECONNREFUSED', 'ECONNRESET')) return false;
    throw error;
  } finally {
    socket.destroy();
  }
}
