/** Those who look at results while votes are cast: some read them now and then, some follow them live. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openEventStream, type EventStream } from '../support/streams.ts';
import type { Followed, Read } from './checker.ts';
import type { CrashPoll } from './clients.ts';
import type { Entry } from './history.ts';

export type Watchers = {
  readonly reads: readonly Read[];
  /** What each connection has been sent until now, those that broke and those that live. */
  followed(): Followed[];
  stop(): Promise<void>;
};

export type WatchersOptions = {
  readonly urls: readonly string[];
  readonly polls: readonly CrashPoll[];
  readonly history: readonly Entry[];
};

const pauseMs = 50;
const readMsMax = 5_000;

type Connection = { readonly poll: string; readonly stream: EventStream; ended: boolean };

/** One reader and one follower for each poll at each server. */
export function startWatchers({ urls, polls, history }: WatchersOptions): Watchers {
  const reads: Read[] = [];
  const connections: Connection[] = [];
  let stopped = false;

  async function read(url: string, { id, poll }: CrashPoll): Promise<void> {
    while (!stopped) {
      const total = await readTotal(`${url}/api/v1/polls/${id}/tally`);
      if (total !== null) reads.push({ poll, total, readAt: history.length });
      await sleep(pauseMs);
    }
  }

  async function follow(url: string, { id, poll }: CrashPoll): Promise<void> {
    while (!stopped) {
      // A server that is away is asked again.
      const stream = await openEventStream(`${url}/api/v1/polls/${id}/events`).catch(() => null);
      if (stream?.status === 200) {
        const connection = { poll, stream, ended: false };
        connections.push(connection);
        await stream.ended;
        connection.ended = true;
      }
      await sleep(pauseMs);
    }
  }

  const loops = urls.flatMap((url) => polls.flatMap((poll) => [read(url, poll), follow(url, poll)]));
  return {
    reads,
    followed: () => connections.map(toFollowed),
    async stop() {
      stopped = true;
      for (const { stream } of connections) stream.close();
      await Promise.all(loops);
    },
  };
}

/** null where there is no answer. */
async function readTotal(url: string): Promise<number | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(readMsMax) });
    return response.ok ? ((await response.json()) as { total: number }).total : null; // The shape is what the tests of the API check.
  } catch {
    // Its server was killed.
    return null;
  }
}

function toFollowed({ poll, stream, ended }: Connection): Followed {
  const frames = stream.frames.flatMap((frame) =>
    frame.type === 'snapshot' || frame.type === 'tally' ? [{ version: frame.version, total: frame.total }] : [],
  );
  return { poll, frames, isWhole: !ended };
}
