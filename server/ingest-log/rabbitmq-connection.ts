/** A connection to RabbitMQ that comes back by itself, and the channels on it that do so too. */
import { setTimeout as pause } from 'node:timers/promises';
import { AMQPChannelError, AMQPConnectionError, Connection, type Channel } from 'rabbitmq-client';
import type { Logger } from '../lib/logger.ts';

export type RabbitmqConnection = {
  /** Resolves when it is there. @throws {Error} at the first attempt that fails */
  connected(): Promise<void>;
  /** Whether the broker has asked to publish nothing, because its memory or its disk is nearly full. */
  isBlocked(): boolean;
  /** A channel for one job, closed after it: what was not acknowledged by then goes back to its queue. */
  withChannel<Answer>(job: (channel: Channel) => Promise<Answer>): Promise<Answer>;
  /** A channel that is opened and prepared again whenever it is lost, until it is closed. */
  keepChannel(prepare: (channel: Channel) => Promise<void>): KeptChannel;
  /** The kept channels must be closed before. */
  close(): Promise<void>;
};

export type KeptChannel = {
  /** Null while there is none. */
  current(): Channel | null;
  /** Resolves when the channel is there for the first time, or after `answerMsMax`. */
  readonly prepared: Promise<void>;
  /** For how long there has been none, in milliseconds; 0 while there is one. */
  awayMs(): number;
  /** Gives up this channel, if it is still the one, and opens another. */
  renew(channel: Channel): void;
  /** Closes it after the broker has read all that was sent on it, or after `answerMsMax`. */
  close(): Promise<void>;
};

/** The longest that anything waits for an answer of the broker. Milliseconds. */
export const answerMsMax = 5_000;
const reconnectMs = { min: 100, max: 1_000 };
const reopenMs = 250;
/** A connection is given up when nothing has come on it for two of these. Seconds. */
const heartbeatSeconds = 10;

/** What it is for stands in the broker's list of connections and in our log. */
export function openRabbitmqConnection(url: string, purpose: string, log: Logger): RabbitmqConnection {
  const connection = new Connection({
    url,
    connectionName: `hustings ${purpose}`,
    heartbeat: heartbeatSeconds,
    retryLow: reconnectMs.min,
    retryHigh: reconnectMs.max,
    connectionTimeout: answerMsMax,
    acquireTimeout: answerMsMax,
    // Frames stay at the client's 8 KiB: it takes its own limit for the broker's, and a broker may allow less than a larger one.
    noDelay: true,
  });
  const state = watch(connection, purpose, log);
  const opened: Opened = { connection, log, purpose };
  return {
    connected: () => connectOnce(connection),
    isBlocked: () => state.isBlocked,
    async withChannel(job) {
      const channel = await connection.acquire();
      try {
        return await job(channel);
      } finally {
        await Promise.race([channel.close(), pause(answerMsMax, undefined, { ref: false })]);
      }
    },
    keepChannel: (prepare) => keepChannel(opened, prepare),
    async close() {
      await Promise.race([connection.close(), pause(answerMsMax, undefined, { ref: false })]);
      connection.unsafeDestroy();
    },
  };
}

/** @throws {Error} when it takes longer than `answerMsMax` */
export async function withinAnswerMs<Answer>(answer: Promise<Answer>): Promise<Answer> {
  const isLate = new AbortController();
  const tooLong = pause(answerMsMax, undefined, { signal: isLate.signal }).then(() => {
    throw new Error('RabbitMQ did not answer in time.');
  });
  try {
    return await Promise.race([answer, tooLong]);
  } finally {
    isLate.abort();
    tooLong.catch(() => undefined);
  }
}

/** What went wrong, in a few words of the client or of the broker; neither ever names the password. */
export function toReason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  // Where a name has several addresses, each has failed, and the whole has a code but no message.
  if (error.message === '' && 'code' in error) return String(error.code);
  // Errors of TLS end with a line break.
  return error.message.trim();
}

/** Whether the broker answered with this reply code, or the system with this error. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

type Opened = { readonly connection: Connection; readonly log: Logger; readonly purpose: string };

/**
 * Says once that the connection is lost, and once that it is back; a first attempt that fails is its caller's to tell. Without a listener
 * for errors the process would end.
 */
function watch(connection: Connection, purpose: string, log: Logger): { readonly isBlocked: boolean } {
  const state = { isBlocked: false };
  let stage: 'new' | 'up' | 'lost' = 'new';
  connection.on('error', (error: unknown) => {
    if (error instanceof AMQPChannelError && !(error instanceof AMQPConnectionError)) {
      log.warn({ connection: purpose, reason: toReason(error) }, 'rabbitmq channel lost');
      return;
    }
    state.isBlocked = false;
    if (stage !== 'up') return;
    log.warn({ connection: purpose, reason: toReason(error) }, 'rabbitmq lost');
    stage = 'lost';
  });
  connection.on('connection', () => {
    if (stage === 'lost') log.info({ connection: purpose }, 'rabbitmq back');
    stage = 'up';
  });
  connection.on('connection.blocked', (reason) => {
    if (!state.isBlocked) log.warn({ connection: purpose, reason }, 'rabbitmq takes nothing');
    state.isBlocked = true;
  });
  connection.on('connection.unblocked', () => {
    if (state.isBlocked) log.info({ connection: purpose }, 'rabbitmq takes segments again');
    state.isBlocked = false;
  });
  return state;
}

function connectOnce(connection: Connection): Promise<void> {
  if (connection.ready) return Promise.resolve();
  return withinAnswerMs(
    new Promise((resolve, reject) => {
      connection.once('connection', resolve);
      connection.once('error', reject);
    }),
  );
}

function keepChannel(opened: Opened, prepare: (channel: Channel) => Promise<void>): KeptChannel {
  const closing = new AbortController();
  const first = Promise.withResolvers<void>();
  let open: Channel | null = null;
  let isPrepared = false;
  let goneSince = performance.now();
  let gone = Promise.withResolvers<void>();

  /** Opens one, and resolves when it has gone. */
  async function keepOne(): Promise<void> {
    const channel = await opened.connection.acquire();
    gone = Promise.withResolvers<void>();
    open = channel;
    channel.once('close', gone.resolve);
    // The queue was deleted, and its consumers with it.
    channel.once('basic.cancel', gone.resolve);
    try {
      if (closing.signal.aborted) return;
      await prepare(channel);
      isPrepared = channel.active;
      first.resolve();
      await gone.promise;
    } finally {
      if (isPrepared) goneSince = performance.now();
      isPrepared = false;
      open = null;
      void channel.close();
    }
  }

  async function keep(): Promise<void> {
    let warned = '';
    while (!closing.signal.aborted) {
      const reason = await keepOne().then(() => '', toReason);
      const isNews = reason !== '' && reason !== warned && opened.connection.ready && !closing.signal.aborted;
      if (isNews) opened.log.warn({ connection: opened.purpose, reason }, 'rabbitmq refused a channel');
      warned = reason;
      await pause(reopenMs, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  }

  void keep();
  return {
    current: () => (isPrepared ? open : null),
    prepared: Promise.race([first.promise, pause(answerMsMax, undefined, { ref: false })]),
    awayMs: () => (isPrepared ? 0 : performance.now() - goneSince),
    renew(channel) {
      if (channel === open) gone.resolve();
    },
    async close() {
      closing.abort();
      const closed = open?.close();
      gone.resolve();
      await Promise.race([closed, pause(answerMsMax, undefined, { ref: false })]);
    },
  };
}
