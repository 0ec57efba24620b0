/**
 * The hub: who follows which poll, and what they are told when. One timer ticks while anybody follows anything; at a tick every
 * topic compares what it told last with how things stand, builds at most one frame for each kind of change, and sends it to all of its followers.
 *
 * A topic is one poll as one audience sees it (anyone, those who voted, its manager), or one leaderboard.
 *
 * Order: on one subscription tallies come with growing versions. Loss: none that lasts; whoever is full misses frames and is brought up to
 * date by the latest ones. Limits: those of the connections, which are kept elsewhere.
 */
import type { ErrorFrame } from '../../protocol/live.ts';
import type { Leaderboard } from '../../protocol/tally.ts';
import type { LeaderboardWindow, Results } from '../board/results.ts';
import { toLeaderboardView } from '../board/views.ts';
import type { PollTally } from '../board/tally-board.ts';
import type { Poll } from '../poll/poll.ts';
import type { Viewer } from '../poll/visibility.ts';
import type { PollStatus } from '../poll/schedule.ts';
import { createFollowedPoll } from './followed-poll.ts';
import { createFrame, type Frame } from './frame.ts';
import type { Sight } from './poll-topic.ts';
import type { Subscriber } from './subscriber.ts';
import type { Topic } from './topic.ts';
import { createWatched, type OnChange } from './watched.ts';

export type HubParts = {
  readonly results: Results;
  /** The poll as it now stands, if it is at hand. */
  readonly pollNow: (pollNo: number) => Poll | undefined;
  readonly frameMs: number;
};

export type PollSeen = { readonly poll: Poll; readonly status: PollStatus; readonly tally: PollTally | null };

export type Hub = {
  /** Follows a poll. The first frame is sent before this returns, unless `knownEventId` says that the subscriber has it. Answers how to stop. */
  subscribe(poll: Poll, viewer: Viewer, subscriber: Subscriber, knownEventId?: string | null): () => void;
  subscribeToLeaderboard(window: LeaderboardWindow, limit: number, subscriber: Subscriber): () => void;
  /** The same for parts of the server that make frames of their own: told at once and after each change, at most once a tick. */
  watch(poll: Poll, viewer: Viewer, onChange: OnChange<PollSeen>): () => void;
  watchLeaderboard(window: LeaderboardWindow, limit: number, onChange: OnChange<Leaderboard>): () => void;
  /** The ledger's clock. */
  now(): number;
  /** How many connections follow this poll here. */
  onlineOf(poll: Pick<Poll, 'pollNo'>): number;
  /** Tells the followers of a poll that it was deleted, and lets them go. */
  endPoll(poll: Pick<Poll, 'id' | 'pollNo'>): void;
  stop(): void;
};

/** Small changes, which no ballot causes, are told this often. */
const pulseMs = 1_000;

export function createHub({ results, pollNow, frameMs }: HubParts): Hub {
  const topics = createTopics(frameMs);
  const online = new Map<number, number>();

  function look(followed: Poll, viewer: Viewer): Sight {
    const poll = pollNow(followed.pollNo) ?? followed;
    const status = results.statusOf(poll);
    return { poll, status, tally: results.tallyOf(poll, viewer), online: online.get(poll.pollNo) ?? 0 };
  }

  function countOnline(pollNo: number, change: 1 | -1): void {
    const count = (online.get(pollNo) ?? 0) + change;
    if (count === 0) online.delete(pollNo);
    else online.set(pollNo, count);
  }

  function watchLeaderboard(window: LeaderboardWindow, limit: number, onChange: OnChange<Leaderboard>): () => void {
    const look = () => {
      const value = toLeaderboardView(results, { window, limit });
      return { value, key: JSON.stringify(value.entries) };
    };
    return topics.at(`leaderboard ${window} ${limit}`, () => createWatched(look)).join(onChange);
  }

  return {
    subscribe(poll, viewer, subscriber, knownEventId = null) {
      const { pollNo } = poll;
      const key = toPollKey(poll, viewer);
      countOnline(pollNo, 1);
      const topic = topics.at(key, () => createFollowedPoll(results.epoch, () => look(poll, viewer)));
      const leave = topic.join(subscriber, knownEventId);
      return () => {
        if (leave()) countOnline(pollNo, -1);
      };
    },
    subscribeToLeaderboard: (window, limit, subscriber) =>
      watchLeaderboard(window, limit, (leaderboard) => subscriber.send(leaderboardFrame(leaderboard))),
    watch(poll, viewer, onChange) {
      const see = () => {
        const value: PollSeen = look(poll, viewer);
        return { value, key: `${value.poll.revision} ${value.status} ${value.tally?.version}` };
      };
      return topics.at(`watch ${toPollKey(poll, viewer)}`, () => createWatched(see)).join(onChange);
    },
    watchLeaderboard,
    now: results.now,
    onlineOf: ({ pollNo }) => online.get(pollNo) ?? 0,
    endPoll({ id, pollNo }) {
      const gone: ErrorFrame = { type: 'error', code: 'poll_not_found', detail: 'The poll was deleted.', poll: id };
      for (const audience of audiences) {
        topics.end(`${pollNo} ${audience}`, createFrame(gone));
        topics.end(`watch ${pollNo} ${audience}`, createFrame(gone));
      }
    },
    stop: topics.stop,
  };
}

/** The topics that are followed, and the timer that runs while there are any. */
function createTopics(frameMs: number) {
  const topics = new Map<string, Topic>();
  let timer: NodeJS.Timeout | null = null;
  let pulsedAt = 0;

  function tick(): void {
    const now = performance.now();
    const pulsing = now - pulsedAt >= pulseMs;
    if (pulsing) pulsedAt = now;
    for (const [key, topic] of topics) {
      if (topic.empty()) topics.delete(key);
      else topic.tick(pulsing);
    }
    if (topics.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  }

  return {
    at<Wanted extends Topic>(key: string, create: () => Wanted): Wanted {
      const found = topics.get(key) as Wanted | undefined; // A key belongs to one kind of topic.
      if (found !== undefined) return found;
      const created = create();
      topics.set(key, created);
      timer ??= setInterval(tick, frameMs);
      return created;
    },
    end(key: string, last: Frame): void {
      topics.get(key)?.end?.(last);
      topics.delete(key);
    },
    stop() {
      topics.clear();
      if (timer !== null) clearInterval(timer);
    },
  };
}

const frames = new WeakMap<Leaderboard, Frame>();

/** One frame for all who are told of the same leaderboard. */
function leaderboardFrame(leaderboard: Leaderboard): Frame {
  let frame = frames.get(leaderboard);
  if (frame === undefined) {
    frame = createFrame({ type: 'leaderboard', leaderboard } as { type: string });
    frames.set(leaderboard, frame);
  }
  return frame;
}

const audiences = ['anyone', 'voted', 'manager'] as const;

function toPollKey({ pollNo }: Poll, viewer: Viewer): string {
  return `${pollNo} ${viewer.manager ? 'manager' : viewer.voted ? 'voted' : 'anyone'}`;
}
