/** What the parts of the Kafka adapter share: how its clients are made and ended, and how their errors are read. */
import { setTimeout as sleep } from 'node:timers/promises';
import { findErrorBy, type BaseOptions, type ConnectionPool } from '@platformatic/kafka';
import type { Logger } from '../lib/logger.ts';

export type KafkaAddress = {
  /** Each `host:port`. */
  readonly brokers: readonly string[];
  readonly clientId: string;
};

/** Longer than any answer of a broker that is well, and short enough for an append to end in time. Milliseconds. */
const answerMsMax = 4_500;
const connectMsMax = 2_000;
const endMsMax = 1_000;

let clientCount = 0;

/**
 * Without repeats by the client: who asks decides what a failure means. Each client begins with another broker, because it asks the first
 * one that takes its connection, even if that one never answers.
 */
export function toClientOptions({ brokers, clientId }: KafkaAddress): BaseOptions {
  clientCount += 1;
  const first = clientCount % Math.max(1, brokers.length);
  return {
    clientId,
    bootstrapBrokers: [...brokers.slice(first), ...brokers.slice(0, first)],
    connectTimeout: connectMsMax,
    requestTimeout: answerMsMax,
    timeout: answerMsMax - 500,
    retries: false,
    autocreateTopics: false,
  };
}

type Client = { readonly connections: ConnectionPool; close(): Promise<void> };

/** Ends a client in any state. Its sockets do not outlive it, even those that wait for a broker which does not read. */
export async function endClient(client: Client): Promise<void> {
  const sockets = [...client.connections].map(([, connection]) => connection.socket);
  const timeUp = new AbortController();
  const closing = client.close().catch(() => undefined);
  await Promise.race([closing, sleep(endMsMax, undefined, { signal: timeUp.signal }).catch(() => undefined)]);
  timeUp.abort();
  for (const socket of sockets) socket.destroy();
}

/** Whether the broker answered with one of these errors of the protocol, such as `MESSAGE_TOO_LARGE`. */
export function isKafkaError(error: unknown, ...ids: readonly string[]): boolean {
  return error instanceof Error && ids.some((id) => findErrorBy(error, 'apiId', id) !== null);
}

/** The errors of the client are trees with the answers of the broker in them; a log line needs the first reason. */
export function toReason(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return toReason(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} ${toReason(error.cause)}`;
}

/** @throws {Error} when the time is up; what the promise becomes later is of no interest then */
export async function withDeadline<Value>(promise: Promise<Value>, ms: number): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`No answer within ${Math.round(ms)} ms.`)), Math.max(0, ms));
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Tells the log once when something begins to fail, and once when it is well again. */
export type Outage = {
  begin(error: unknown): void;
  end(): void;
  /** Milliseconds since it began; 0 while all is well. */
  ms(): number;
};

export function createOutage(log: Logger, what: string): Outage {
  let since: number | null = null;
  const ms = () => (since === null ? 0 : Math.max(1, performance.now() - since));
  return {
    begin(error) {
      if (since !== null) return;
      since = performance.now();
      log.warn({ reason: toReason(error) }, `${what} away`);
    },
    end() {
      if (since === null) return;
      log.warn({ awayMs: Math.round(ms()) }, `${what} back`);
      since = null;
    },
    ms,
  };
}
