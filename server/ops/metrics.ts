/**
 * What this process tells Prometheus. Loaded only where metrics are on.
 *
 * Numbers are kept where the work is done and read when Prometheus asks. No label has more values than our own tables and routes have rows: no poll, voter,
 * address or text of a client is one.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { LogLength } from '../ingest-log/segment-log.ts';
import type { Meters } from '../intake/meters.ts';
import type { HistogramState } from '../lib/histogram.ts';
import type { Logger } from '../lib/logger.ts';
import { within } from '../lib/within.ts';
import { registerFamily, toHistogramSamples, toSample, type Family, type Sample } from './metric-families.ts';

export type MetricsSources = {
  readonly version: string;
  readonly meters: Meters;
  readonly pool: { readonly totalCount: number; readonly idleCount: number; readonly waitingCount: number };
  readonly recorderAwayMs: () => number;
  readonly boardStaleMs: () => number;
  /** null without a broker. */
  readonly broker: BrokerSource | null;
  /** null in a process without the part. */
  readonly worker: { readonly inHandCount: () => number } | null;
  readonly server: ServerSource | null;
  readonly log: Logger;
};

export type BrokerSource = {
  readonly awayMs: () => number;
  readonly measure: () => Promise<LogLength>;
  readonly countDead: () => Promise<number>;
};

export type ServerSource = {
  readonly waitingCount: () => number;
  readonly lagMs: () => number;
  readonly draining: () => boolean;
  readonly traffic: () => readonly { transport: string; connections: number; frames: number }[];
  readonly requests: () => readonly RequestCounts[];
  readonly nodeStates: () => readonly NodeState[];
};

type NodeState = (typeof nodeStates)[number];

type RequestCounts = {
  readonly method: string;
  readonly route: string;
  readonly classes: readonly number[];
  readonly seconds: { read(): HistogramState };
};

export type Metrics = { readonly contentType: string; read(): Promise<string> };

const nodeStates = ['ready', 'unfit', 'away'] as const;
/** How long a broker may take to say how long its queue is. Prometheus itself waits for 10 s. */
const brokerMsMax = 2_000;
/** Gauges whose names end like those of counters; the same numbers are in others by kind. */
const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

export function createMetrics(sources: MetricsSources): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
  const families = [
    ...toProcessFamilies(sources),
    ...toBallotFamilies(sources),
    ...(sources.broker === null ? [] : toBrokerFamilies(sources.broker, sources.log)),
    ...(sources.worker === null ? [] : toWorkerFamilies(sources.worker)),
    ...(sources.server === null ? [] : toServerFamilies(sources.server)),
  ];
  for (const family of families) registerFamily(registry, family);
  return { contentType: registry.contentType, read: () => registry.metrics() };
}

function gauge(name: string, help: string, read: () => number): Family {
  return { name, help, type: 'gauge', read: () => [toSample(read())] };
}

function toProcessFamilies({ version, pool, recorderAwayMs, boardStaleMs }: MetricsSources): Family[] {
  return [
    {
      name: 'hustings_build_info',
      help: 'Always 1; the label says which version runs.',
      type: 'gauge',
      read: () => [toSample(1, { version })],
    },
    gauge(
      'hustings_database_pool_connections',
      'Database connections of the pool that serves everything but recording.',
      () => pool.totalCount,
    ),
    gauge('hustings_database_pool_idle_connections', 'Those of them that nobody uses.', () => pool.idleCount),
    gauge(
      'hustings_database_pool_waiting_queries',
      'Queries that wait for a connection of the pool.',
      () => pool.waitingCount,
    ),
    gauge(
      'hustings_recorder_away_seconds',
      'For how long recording has failed here; 0 while it does not.',
      () => recorderAwayMs() / 1_000,
    ),
    gauge(
      'hustings_board_stale_seconds',
      'For how long it is not known that the tallies of this process have everything that the ledger has. Up to 2 where all is well.',
      () => boardStaleMs() / 1_000,
    ),
  ];
}

function toBallotFamilies({ meters }: MetricsSources): Family[] {
  const { logName: log, ballots, batchBallots, batchSeconds } = meters;
  const batchBallotsName = 'hustings_recorder_batch_ballots';
  const batchSecondsName = 'hustings_recorder_batch_duration_seconds';
  return [
    {
      name: 'hustings_ballots_total',
      help: 'Ballots by what became of them here: received (in a broker), counted, repeated (a retry of one of these), refused or failed (both with the error code).',
      type: 'counter',
      read: () => ballots.read().map(({ outcome, code, count }) => toSample(count, { outcome, code, log })),
    },
    {
      name: batchBallotsName,
      help: 'How many ballots a transaction of the recorder has.',
      type: 'histogram',
      read: () => toHistogramSamples(batchBallotsName, batchBallots.read()),
    },
    {
      name: batchSecondsName,
      help: 'How long it takes until it is certain what became of the ballots of a transaction, with its repeats.',
      type: 'histogram',
      read: () => toHistogramSamples(batchSecondsName, batchSeconds.read()),
    },
  ];
}

function toBrokerFamilies({ awayMs, measure, countDead }: BrokerSource, log: Logger): Family[] {
  const length = shared(() => within(brokerMsMax, measure()), log);
  const dead = shared(() => within(brokerMsMax, countDead()), log);
  return [
    gauge(
      'hustings_ingest_log_away_seconds',
      'For how long the broker has not answered; 0 while it does.',
      () => awayMs() / 1_000,
    ),
    {
      name: 'hustings_ingest_log_waiting_segments',
      help: 'Segments (up to 1,000 ballots each) in the broker that no worker has recorded. Nothing while the broker does not answer.',
      type: 'gauge',
      read: async () => samplesOf((await length())?.segments),
    },
    {
      name: 'hustings_ingest_log_consumers',
      help: 'Processes that take segments out of the broker, of the whole installation. Nothing where the broker does not tell.',
      type: 'gauge',
      read: async () => samplesOf((await length())?.consumers),
    },
    {
      name: 'hustings_ingest_log_dead_letters',
      help: 'Segments that could not be recorded and wait for somebody to look at them (hustings queue dead).',
      type: 'gauge',
      read: async () => samplesOf(await dead()),
    },
  ];
}

function samplesOf(value: number | null | undefined): Sample[] {
  return value === null || value === undefined ? [] : [toSample(value)];
}

/** Those who ask while the answer is on its way share it. null where there is none. */
function shared<Value>(ask: () => Promise<Value>, log: Logger): () => Promise<Value | null> {
  let asked: Promise<Value | null> | null = null;

  async function askSafely(): Promise<Value | null> {
    try {
      return await ask();
    } catch (error) {
      log.debug({ err: error }, 'metric not known');
      return null;
    } finally {
      asked = null;
    }
  }

  return () => (asked ??= askSafely());
}

function toWorkerFamilies({ inHandCount }: NonNullable<MetricsSources['worker']>): Family[] {
  return [
    gauge(
      'hustings_worker_segments',
      'Segments that this worker has in hand: taken out of the broker and not acknowledged.',
      inHandCount,
    ),
  ];
}

function toServerFamilies({
  waitingCount,
  lagMs,
  draining,
  traffic,
  requests,
  nodeStates: states,
}: ServerSource): Family[] {
  const durationName = 'hustings_http_request_duration_seconds';
  return [
    gauge('hustings_draining', 'Whether the process finishes what it has and takes nothing new.', () =>
      draining() ? 1 : 0,
    ),
    gauge('hustings_waiting_ballots', 'Ballots that wait in this process for their answer.', waitingCount),
    gauge(
      'hustings_ingest_log_lag_seconds',
      'How long ago the oldest ballot was accepted here that has no outcome yet; 0 without one.',
      () => lagMs() / 1_000,
    ),
    {
      name: 'hustings_live_connections',
      help: 'Live connections: WebSockets, event streams, Socket.IO sessions and long polls.',
      type: 'gauge',
      read: () => traffic().map(({ transport, connections }) => toSample(connections, { transport })),
    },
    {
      name: 'hustings_live_frames_total',
      help: 'Frames that were sent over live connections.',
      type: 'counter',
      read: () => traffic().map(({ transport, frames }) => toSample(frames, { transport })),
    },
    {
      name: 'hustings_http_requests_total',
      help: 'Requests that were answered, by the template of their route and the class of the status.',
      type: 'counter',
      read: () => requests().flatMap(toRequestSamples),
    },
    {
      name: durationName,
      help: 'How long answers took, by the template of the route. An event stream takes as long as somebody follows it.',
      type: 'histogram',
      read: () =>
        requests().flatMap(({ method, route, seconds }) =>
          toHistogramSamples(durationName, seconds.read(), { method, route }),
        ),
    },
    {
      name: 'hustings_redis_ring_nodes',
      help: 'Redis nodes of the shared board, or its parts in a cluster, by how this process stands with them. All 0 where the settings name none.',
      type: 'gauge',
      read: () => toNodeSamples(states()),
    },
  ];
}

function toRequestSamples({ method, route, classes }: RequestCounts): Sample[] {
  return classes.flatMap((count, index) =>
    count === 0 ? [] : [toSample(count, { method, route, status: `${index + 1}xx` })],
  );
}

function toNodeSamples(states: readonly NodeState[]): Sample[] {
  return nodeStates.map((state) => toSample(states.filter((each) => each === state).length, { state }));
}
