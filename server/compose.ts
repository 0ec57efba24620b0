/** From the configuration to a running server: the core, and the doors to it. */
import type { ListenOptions } from 'node:net';
import { hostname } from 'node:os';
import type { FastifyBaseLogger, FastifyListenOptions } from 'fastify';
import { closeCodes } from '../protocol/close-codes.ts';
import { createSeriesReader } from './board/series.ts';
import type { Config } from './config.ts';
import type { makeDuel } from './contracts/duel-preset.ts';
import { electionSlug, prepareElectionPoll } from './contracts/election-poll.ts';
import { makeElection, type ElectionHouse } from './contracts/election-preset.ts';
import { featuresContract, toFeatureBoard } from './contracts/features.ts';
import { makeLive } from './contracts/live-preset.ts';
import { partyContract } from './contracts/party.ts';
import { openCore, type Core } from './core.ts';
import { AppError } from './errors.ts';
import { createHttpApp, type Contract } from './http/app.ts';
import type { HttpApp, HttpOptions, HttpParts, LiveDoor } from './http/parts.ts';
import { createJoinDoor, type JoinDoor } from './http/join-door.ts';
import { createRequestMeter } from './http/request-meter.ts';
import { stopQuietly } from './http/quiet-stop.ts';
import { createBrowserCookies } from './identity/browser-cookies.ts';
import { readBallots } from './ledger/export.ts';
import { createJoinCodes } from './ledger/join-codes.ts';
import { createSeriesStore } from './ledger/series.ts';
import { createForwarding, forwardedOf, type Forwarding } from './lib/forwarding.ts';
import type { Hub } from './live/hub.ts';
import { createKeeper } from './live/keeper.ts';
import { createUpgrades } from './live/upgrades.ts';
import { createSocketDoor } from './live/websocket.ts';
import { openLedger, type Ledger } from './open-ledger.ts';
import { openMetrics } from './open-metrics.ts';
import { createDrain } from './ops/drain.ts';
import { createHealth } from './ops/health.ts';
import type { MetricsPort } from './ops/metrics-port.ts';
import type { RateLimits } from './ops/rate-limit.ts';
import { createRateLimits } from './ops/rate-limits.ts';
import { openSharedMemory, type SharedMemory } from './ops/shared-memory.ts';
import { createPageAnswers } from './pages/answers.ts';
import { createDevRoutes } from './pages/dev-routes.ts';
import { createPages } from './pages/pages.ts';
import { loadPageRenderer, type PageRenderer } from './pages/renderer.ts';

export type Running = {
  readonly app: HttpApp;
  /** The port that was asked for, or the one that the system chose for port 0. */
  readonly port: number;
  /** The port of the duel's results page; null without the preset. */
  readonly resultsPort: number | null;
  /** The port of Prometheus and probes; null where metrics are off. */
  readonly metricsPort: number | null;
  readonly ledger: Ledger;
  readonly hub: Hub;
  /** The poll that the preset begins with; its manage key only where this start has made it. */
  readonly sample: SamplePoll | null;
  /** Answers everything under way, then ends every part in the reverse order of its start. */
  stop(): Promise<void>;
};

/** One of several processes that answer on one port. */
export type Member = {
  /** From 1. The first has what there can be only one of. */
  readonly no: number;
  readonly port: number;
};

export type SamplePoll = { readonly slug: string; readonly manageKey: string | null };

export type ComposeOptions = {
  readonly log: FastifyBaseLogger;
  /** What is under way during a long start, in words for whoever waits. */
  readonly onProgress: (text: string) => void;
  /** The data folder was taken by another server while the database was away: this process must end. */
  readonly onLost: (error: Error) => void;
  /** Set in each of several processes that share a port: another one keeps the database then. */
  readonly member?: Member | undefined;
};

export async function startHustings(config: Config, options: ComposeOptions): Promise<Running> {
  const ledger = await openLedger(config, { ...options, joins: options.member !== undefined });
  try {
    return await startOnLedger(config, options, ledger);
  } catch (error) {
    await ledger.close();
    throw error;
  }
}

async function startOnLedger(config: Config, { log, member }: ComposeOptions, ledger: Ledger): Promise<Running> {
  const renderer = await loadPageRenderer();
  const core = await openCore(config, ledger, log);
  const options = toHttpOptions(config);
  const memory = await openMemory(config, core, log);
  const rateLimits = createRateLimits({ memory, log });
  const parts = toParts(config, { core, ledger, renderer, options, rateLimits, log });
  const duel = config.preset === 'duel' ? await openDuel(config, parts, renderer) : null;
  const election = openElection(config, parts, { ledger, rateLimits, memory });
  const isFirst = member === undefined || member.no === 1;
  const sample = duel?.sample ?? (isFirst ? await makeSample(config, parts) : null);
  const { app, requestCount, connections } = await createHttpApp(parts, options, [
    createPages(renderer, { ...options, homeAtRoot: duel === null }),
    featuresContract,
    partyContract,
    election,
    openLive(config, parts, { core, ledger }),
    ...(duel === null ? [] : [duel.contract]),
    ...(config.nodeEnv === 'development' ? [createDevRoutes()] : []),
  ]);
  const metrics = await openServerMetrics(withMetricsPortOf(config, member), parts, { core, ledger });
  const address = new URL(await app.listen(toListenOptions(config, member)));
  // Socket.IO's polling needs all requests of a client to come to one process.
  const duelResults = isFirst ? await duel?.startResults() : undefined;
  await core.start();
  return {
    app,
    ledger,
    hub: core.hub,
    sample,
    port: Number(address.port),
    resultsPort: duelResults?.port ?? null,
    metricsPort: metrics?.port ?? null,
    stop: createDrain({ timeoutMs: config.drainTimeoutMs, log }, [
      ['health', () => parts.health.beginDrain()],
      ['duel results', () => duelResults?.stop()],
      ['live', () => parts.live.keeper.endAll(closeCodes.shutting_down)],
      ['http', () => stopQuietly(app, { requestCount, connections, waitingCount: core.waitingCount })],
      ...core.ends,
      ['shared memory', () => memory?.close()],
      ['metrics', () => metrics?.close()],
      ['ledger', ledger.close],
    ]),
  };
}

function toListenOptions({ host, port }: Config, member: Member | undefined): FastifyListenOptions & ListenOptions {
  return member === undefined ? { host, port } : { host, port: member.port, reusePort: true };
}

/** Each process tells of itself: the first on the port of the settings, the others on those that follow. */
function withMetricsPortOf(config: Config, member: Member | undefined): Config {
  const { metricsPort } = config;
  return member === undefined || metricsPort === undefined || metricsPort === 0
    ? config
    : { ...config, metricsPort: metricsPort + member.no - 1 };
}

type Built = {
  readonly core: Core;
  readonly ledger: Ledger;
  readonly renderer: PageRenderer;
  readonly options: HttpOptions;
  readonly rateLimits: RateLimits;
  readonly log: FastifyBaseLogger;
};

/** Where a Redis is named, what is limited is counted there for all servers together. */
async function openMemory({ redis }: Config, { results }: Core, log: FastifyBaseLogger): Promise<SharedMemory | null> {
  return redis === null ? null : openSharedMemory({ place: redis, installation: results.epoch, log });
}

/** What the routes work with. */
function toParts(config: Config, { core, ledger: { pool }, renderer, options, rateLimits, log }: Built): HttpParts {
  const { now, castBallot, managePoll, polls, pollStore, results, hub, makeKey, tokens, refusals, waitingCount } = core;
  const { publicUrl } = options;
  const forwarding = createForwarding(config.trustedProxies);
  return {
    castBallot,
    managePoll,
    polls,
    pollStore,
    results,
    hub,
    makeKey,
    tokens,
    refusals,
    lagMs: core.lagMs,
    waitingCount,
    ballots: core.ballots,
    ballotStates: core.ballotStates,
    readBallots: (pollNo) => readBallots(pool, pollNo),
    series: createSeriesReader({ readBuckets: createSeriesStore(pool).read, now }),
    cookies: createBrowserCookies(core.cookieSecret, { isSecure: toSecureTest(publicUrl) }),
    site: options,
    forwarding,
    live: createLiveDoor(config, { now, forwarding, log }),
    pages: createPageAnswers(renderer, { publicUrl, development: config.nodeEnv === 'development', now }),
    joinDoor: openJoinDoor(config, core, rateLimits),
    health: createHealth({
      askLedger: () => pool.query('select 1'),
      recorderAwayMs: core.recorderAwayMs,
      logAwayMs: core.logAwayMs,
      logAwayReason: () => core.intake.segments?.awayReason?.() ?? null,
      boardStaleMs: core.boardStaleMs,
    }),
    requestMeter: config.metricsPort === undefined ? null : createRequestMeter(),
    log,
  };
}

function openServerMetrics(
  config: Config,
  { live, requestMeter, health, log }: HttpParts,
  { core, ledger }: Pick<Built, 'core' | 'ledger'>,
): Promise<MetricsPort | null> {
  const { meters, waitingCount, lagMs, sharedBoard, recorderAwayMs, logAwayMs, boardStaleMs } = core;
  const { segments, worker } = core.intake;
  const server = {
    waitingCount,
    lagMs,
    draining: health.draining,
    traffic: live.keeper.traffic,
    requests: () => requestMeter?.read() ?? [],
    nodeStates: sharedBoard.nodeStates,
  };
  const away = { recorderAwayMs, logAwayMs, boardStaleMs };
  return openMetrics(config, { ...away, meters, ledger, segments, worker, server, health, log });
}

function openJoinDoor({ joinMissesPerMinuteMax }: Config, { polls, pollStore }: Core, limits: RateLimits): JoinDoor {
  const limit = { timesMax: joinMissesPerMinuteMax, windowSeconds: 60 };
  return createJoinDoor({
    codes: createJoinCodes({ polls, store: pollStore, now: () => performance.now() }),
    misses: limits.create('join_miss', limit),
  });
}

function toHttpOptions(config: Config): HttpOptions {
  const { bodyBytesMax, headersTimeoutMs, requestTimeoutMs, corsOrigins, publicUrl = null } = config;
  return {
    publicUrl,
    bodyBytesMax,
    headersTimeoutMs,
    requestTimeoutMs,
    corsOrigins,
    createKey: config.createKey?.reveal() ?? null,
  };
}

/** The public address says whether browsers come over HTTPS. Without one a proxy may say it, for each request. */
function toSecureTest(publicUrl: string | null): Parameters<typeof createBrowserCookies>[1]['isSecure'] {
  if (publicUrl === null) return (headers) => forwardedOf(headers).protocol === 'https';
  const secure = publicUrl.startsWith('https:');
  return () => secure;
}

/** What live connections share: how many there may be, and the way to a WebSocket. */
function createLiveDoor(
  config: Config,
  { now, forwarding, log }: { now: () => number; forwarding: Forwarding; log: FastifyBaseLogger },
): LiveDoor {
  const keeper = createKeeper({
    connectionsMax: config.socketsMax,
    connectionsPerAddressMax: config.socketsPerAddressMax,
    heartbeatMs: config.liveHeartbeatMs,
    now,
  });
  const { addressOf } = forwarding;
  return { keeper, door: createSocketDoor({ keeper, addressOf, log }), upgrades: createUpgrades(forwarding) };
}

/** Loaded only where it is wanted. 2026-11-21: a start took 703 ms with Socket.IO and 558 ms without (`npm run bench -- start`). */
async function openDuel(config: Config, parts: HttpParts, renderer: PageRenderer): ReturnType<typeof makeDuel> {
  const duel = await import('./contracts/duel-preset.ts');
  return duel.makeDuel(parts, renderer, toDuelOptions(config));
}

function toDuelOptions(config: Config): Parameters<typeof makeDuel>[2] {
  const { optionA, optionB, host, resultsPort } = config;
  return {
    names: { a: optionA, b: optionB },
    host,
    resultsPort,
    hostname: hostname(),
    development: config.nodeEnv === 'development',
    http: toHttpOptions(config),
  };
}

type ElectionParts = Pick<ElectionHouse, 'rateLimits' | 'memory'> & { readonly ledger: Ledger };

/** Results are kept in Redis for the preset alone: others may name a Redis for their ballots. */
function openElection(
  config: Config,
  { results, log }: HttpParts,
  { ledger, rateLimits, memory }: ElectionParts,
): Contract {
  const kept = config.preset === 'election' ? memory : null;
  return makeElection({ pool: ledger.pool, results, rateLimits, memory: kept, log }, config);
}

function openLive(config: Config, { polls }: HttpParts, { core, ledger }: Pick<Built, 'core' | 'ledger'>): Contract {
  const { apiPrefix: prefix, livePollsMax: pollsMax, liveOptionsMax: optionsMax } = config;
  const { createKey } = toHttpOptions(config);
  const house = { pool: ledger.pool, polls, sharedBoard: core.sharedBoard };
  return makeLive(house, { prefix, createKey, limits: { pollsMax, optionsMax } });
}

/** The poll that the preset begins with. */
async function makeSample({ preset, electionCandidates }: Config, parts: HttpParts): Promise<SamplePoll | null> {
  if (preset === 'features') return makeFeatureBoard(parts);
  if (preset !== 'election') return null;
  return { slug: electionSlug, ...(await prepareElectionPoll(parts, electionCandidates)) };
}

/** The sample board, so that there is something to vote on. */
async function makeFeatureBoard({ polls, managePoll, results }: HttpParts): Promise<SamplePoll> {
  const board = toFeatureBoard(results.now());
  const standing: SamplePoll = { slug: board.slug, manageKey: null };
  if ((await polls.find(board.slug)) !== null) return standing;
  try {
    const { manageKey } = await managePoll.create(board);
    return { slug: board.slug, manageKey };
  } catch (error) {
    // Another server that starts at the same moment made it.
    if (error instanceof AppError && error.code === 'slug_taken') return standing;
    throw error;
  }
}
