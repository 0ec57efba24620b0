/**
 * A live connection to the server that comes back by itself: a WebSocket, or server-sent events where a network lets no WebSocket through.
 * Pauses between attempts grow to ten seconds and are drawn at random, so that a crowd does not come back at one moment.
 */
import { mayReconnect } from '../../protocol/close-codes.ts';
import type { ClientMessage, ServerFrame } from '../../protocol/live.ts';

export type Link = 'connecting' | 'live' | 'lost';

export type LiveOptions = {
  /** What to ask for after each connecting. */
  readonly subscriptions: readonly ClientMessage[];
  /** Where the same frames come as server-sent events. */
  readonly eventsUrl: string;
  readonly onFrame: (frame: ServerFrame) => void;
  readonly onLink: (link: Link) => void;
};

const silenceMsMax = 35_000;
const firstPauseMs = 300;
const pauseMsMax = 10_000;
/** After so many WebSockets that never opened, the other way is tried. */
const socketAttemptsMax = 2;

/** Connects, and goes on until the answered function is called. */
export function connectLive(options: LiveOptions): () => void {
  let stopped = false;
  let failures = 0;
  let socketsThatNeverOpened = 0;
  let end: () => void = () => undefined;
  let pause: ReturnType<typeof setTimeout> | undefined;

  function connect(): void {
    if (stopped) return;
    const open = socketsThatNeverOpened < socketAttemptsMax ? openSocket : openEvents;
    end = open(options, {
      onOpen() {
        failures = 0;
        options.onLink('live');
      },
      onEnd(again, hadOpened) {
        end = () => undefined;
        if (stopped) return;
        if (open === openSocket) socketsThatNeverOpened = hadOpened ? 0 : socketsThatNeverOpened + 1;
        options.onLink('lost');
        if (!again) return;
        const pauseMs = Math.min(pauseMsMax, firstPauseMs * 2 ** failures);
        failures += 1;
        pause = setTimeout(connect, pauseMs * (0.5 + Math.random() / 2));
      },
    });
  }

  function connectNow(): void {
    if (document.visibilityState !== 'visible' || pause === undefined) return;
    clearTimeout(pause);
    pause = undefined;
    connect();
  }

  connect();
  globalThis.addEventListener('online', connectNow);
  document.addEventListener('visibilitychange', connectNow);
  return () => {
    stopped = true;
    clearTimeout(pause);
    globalThis.removeEventListener('online', connectNow);
    document.removeEventListener('visibilitychange', connectNow);
    end();
  };
}

type Reports = { readonly onOpen: () => void; readonly onEnd: (again: boolean, hadOpened: boolean) => void };

function openSocket({ subscriptions, onFrame }: LiveOptions, { onOpen, onEnd }: Reports): () => void {
  const url = new URL('/api/v1/live', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(url);
  const listening = new AbortController();
  const { signal } = listening;
  let hadOpened = false;
  const watch = watchSilence(() => finish(true));

  function finish(again: boolean): void {
    watch.stop();
    listening.abort();
    socket.close();
    onEnd(again, hadOpened);
  }

  function open(): void {
    hadOpened = true;
    for (const message of subscriptions) socket.send(JSON.stringify(message));
    onOpen();
  }

  function hear({ data }: MessageEvent<string>): void {
    watch.heard();
    onFrame(JSON.parse(data) as ServerFrame); // Made by our own server from the types of this protocol.
  }

  socket.addEventListener('open', open, { signal });
  socket.addEventListener('message', hear, { signal });
  socket.addEventListener('close', ({ code }) => finish(mayReconnect(code)), { signal });
  return () => finish(false);
}

const eventTypes = ['snapshot', 'hidden', 'tally', 'poll', 'pulse', 'leaderboard', 'heartbeat'];

function openEvents({ eventsUrl, onFrame }: LiveOptions, { onOpen, onEnd }: Reports): () => void {
  const source = new EventSource(eventsUrl);
  const watch = watchSilence(() => finish(true));
  let hadOpened = false;

  function finish(again: boolean): void {
    watch.stop();
    source.close();
    onEnd(again, hadOpened);
  }

  function hear({ data }: MessageEvent<string>): void {
    watch.heard();
    onFrame(JSON.parse(data) as ServerFrame); // The same.
  }

  source.addEventListener('open', () => {
    hadOpened = true;
    onOpen();
  });
  for (const type of eventTypes) source.addEventListener(type, hear);
  source.addEventListener('error', () => finish(true), { once: true });
  return () => finish(false);
}

/** A connection that says nothing for longer than two heartbeats is dead, whatever the network says. */
function watchSilence(onSilence: () => void): { heard(): void; stop(): void } {
  let timer = setTimeout(onSilence, silenceMsMax);
  return {
    heard() {
      clearTimeout(timer);
      timer = setTimeout(onSilence, silenceMsMax);
    },
    stop: () => clearTimeout(timer),
  };
}
