/** What the parts of the Kafka adapter share: how its clients are made and ended, and how their errors are read. */
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, findErrorBy, instancesChannel, type BaseOptions, type ConnectionPool } from '@platformatic/kafka';
import type { Logger } from '../lib/logger.ts';
import { toRefusal } from './kafka-refusals.ts';
import { toHost, type KafkaSecurity } from './kafka-settings.ts';

export type KafkaAddress = {
  /** Each `host:port`. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly security: KafkaSecurity;
};

/** Longer than any answer of a broker that is well, and short enough for an append to end in time. Milliseconds. */
const answerMsMax = 4_500;
const connectMsMax = 2_000;
const endMsMax = 1_000;

let clientCount = 0;

/**
 * One that is reset in the middle of its greeting tells so twice (2.12.1), and the second time nobody listens any more, which would end the
 * process. Whoever waits for the connection is told the first time.
 */
instancesChannel.subscribe((made) => {
  const instance: unknown = Reflect.get(Object(made), 'instance');
  if (instance instanceof Connection) instance.on('error', () => undefined);
});

/**
 * Without repeats by the client: who asks decides what a failure means. Each client begins with another broker, because it asks the first
 * one that takes its connection, even if that one never answers.
 */
export function toClientOptions({ brokers, clientId, security }: KafkaAddress): BaseOptions {
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
    ...toTlsOptions(security.tls, brokers),
    ...toSaslOptions(security.sasl),
  };
}

function toTlsOptions(
  tls: KafkaSecurity['tls'],
  brokers: readonly string[],
): Pick<BaseOptions, 'tls' | 'tlsServerName'> {
  if (tls === null) return {};
  const { ca, identity } = tls;
  return {
    tls: {
      minVersion: 'TLSv1.2',
      ...(ca !== null && { ca }),
      ...(identity !== null && { cert: identity.cert, key: identity.key.reveal() }),
    },
    // Proxies before clusters choose the broker by the name in the greeting. An address is no such name; its certificate is checked all the same.
    tlsServerName: !brokers.some((broker) => isIP(toHost(broker)) > 0),
  };
}

function toSaslOptions(sasl: KafkaSecurity['sasl']): Pick<BaseOptions, 'sasl'> {
  if (sasl === null) return {};
  // Given as a function, the password is in no object that somebody might print.
  return { sasl: { mechanism: sasl.mechanism, username: sasl.username, password: () => sasl.password.reveal() } };
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
  // Errors of TLS end with a line break.
  const message = error.message.trim();
  return error.cause === undefined ? message : `${message} ${toReason(error.cause)}`;
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

/** Tells the log once when something begins to fail, once for each refusal that it finds then, and once when it is well again. */
export type Outage = {
  begin(error: unknown): void;
  end(): void;
  /** Milliseconds since it began; 0 while all is well. */
  ms(): number;
  /** As in `kafka-refusals.ts`; null while all is well, or where it is no refusal. */
  refusal(): string | null;
};

export function createOutage(log: Logger, what: string, security: KafkaSecurity): Outage {
  let since: number | null = null;
  let refusal: string | null = null;
  const ms = () => (since === null ? 0 : Math.max(1, performance.now() - since));
  return {
    begin(error) {
      const found = toRefusal(error, security);
      if (since !== null && (found === null || found === refusal)) return;
      since ??= performance.now();
      refusal = found;
      log.warn({ reason: found ?? toReason(error) }, `${what} away`);
    },
    end() {
      if (since === null) return;
      log.warn({ awayMs: Math.round(ms()) }, `${what} back`);
      since = null;
      refusal = null;
    },
    ms,
    refusal: () => refusal,
  };
}
