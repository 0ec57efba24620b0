/** Live streams as tests follow them: every frame in its order, and a way to wait for one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { WebSocket, type ClientOptions } from 'ws';
import type { ClientMessage, ServerFrame } from '../../protocol/live.ts';

export type Stream = {
  readonly frames: readonly ServerFrame[];
  /** The first frame from now on, or among those that came, that fits. */
  next<Type extends ServerFrame['type']>(
    type: Type,
    fits?: (frame: Extract<ServerFrame, { type: Type }>) => boolean,
  ): Promise<Extract<ServerFrame, { type: Type }>>;
  /** Resolves with the code and reason when the connection has ended. */
  readonly ended: Promise<{ code: number; reason: string }>;
  close(): void;
};

export type SocketStream = Stream & { send(message: ClientMessage | string): void; readonly socket: WebSocket };

const waitMsMax = 20_000;

export async function openSocketStream(
  serverUrl: string,
  messages: readonly ClientMessage[] = [],
  options: ClientOptions = {},
): Promise<SocketStream> {
  const socket = new WebSocket(`${serverUrl.replace(/^http/u, 'ws')}/api/v1/live`, options);
  const frames: ServerFrame[] = [];
  socket.on('message', (data) => frames.push(JSON.parse(String(data)) as ServerFrame)); // What the server sends is what the tests look at.
  const ended = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  onTestFinished(() => socket.terminate());
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => undefined);
  const send = (message: ClientMessage | string): void =>
    socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  for (const message of messages) send(message);
  return { frames, next: toNext(frames), ended, send, socket, close: () => socket.close() };
}

export type EventStream = Stream & { readonly ids: readonly string[]; readonly status: number };

export async function openEventStream(url: string, headers: Record<string, string> = {}): Promise<EventStream> {
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  const response = await fetch(url, { headers, signal: controller.signal });
  const frames: ServerFrame[] = [];
  const ids: string[] = [];
  const ended = (async () => {
    let text = '';
    try {
      for await (const chunk of response.body ?? []) {
        text += Buffer.from(chunk as Uint8Array).toString('utf8');
        const events = text.split('\n\n');
        text = events.pop() ?? '';
        for (const event of events) {
          const data = /^data: (.*)$/mu.exec(event)?.[1];
          if (data === undefined) continue;
          const id = /^id: (.*)$/mu.exec(event)?.[1];
          if (id !== undefined) ids.push(id);
          frames.push(JSON.parse(data) as ServerFrame); // As above.
        }
      }
      return { code: 0, reason: 'ended' };
    } catch (error) {
      return { code: 1, reason: String(error) };
    }
  })();
  return { status: response.status, frames, ids, next: toNext(frames), ended, close: () => controller.abort() };
}

function toNext(frames: readonly ServerFrame[]): Stream['next'] {
  let read = 0;
  return async (type, fits = () => true) => {
    const until = Date.now() + waitMsMax;
    while (Date.now() < until) {
      for (; read < frames.length;) {
        const frame = frames[read];
        read += 1;
        // The type says which of the frames it is.
        if (frame?.type === type && fits(frame as never)) return frame as never;
      }
      await sleep(5);
    }
    throw new Error(`No frame ${type} came; these did: ${frames.map((frame) => frame.type).join(' ')}`);
  };
}
