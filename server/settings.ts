import {
  choice,
  count,
  headerKey,
  host,
  httpOrigin,
  listeningPort,
  looseBoolean,
  milliseconds,
  optional,
  origins,
  pathPrefix,
  shortText,
  shortTexts,
  trustedProxies,
} from './lib/setting-kinds.ts';
import { group } from './lib/setting-table.ts';
import { boardSettings } from './board/board-settings.ts';
import { tokenSettings } from './identity/token-settings.ts';
import { logSettings } from './ingest-log/log-settings.ts';
import { databaseSettings } from './ledger/database-settings.ts';

/**
 * Every setting of the server. `--help`, docs/configuration.md and .env.example are made from this table.
 *
 * A flag wins over the environment, the environment over `.env`, and that over the default of the row,
 * or of the preset where the row names one. Empty counts as unset.
 */
export const settings = {
  ...group('Where voters reach it', {
    host: {
      flag: 'host',
      env: 'HOST',
      kind: host,
      default: '127.0.0.1',
      doc: 'The address to listen on. The default serves this machine only; `0.0.0.0` serves the network.',
    },
    port: {
      flag: 'port',
      env: 'PORT',
      kind: listeningPort,
      default: 8000,
      presets: { party: 3000, duel: 5000 },
      doc: 'The TCP port to listen on.',
    },
    processes: {
      flag: 'processes',
      env: 'HUSTINGS_PROCESSES',
      kind: count({ unit: 'processes', min: 1, max: 1_000 }),
      default: 1,
      doc: 'How many processes of this machine answer on that port, each with the limits below for itself. Above 1 on Linux only. For `doctor`: how many servers and workers share the database.',
    },
    publicUrl: {
      flag: 'public-url',
      env: 'HUSTINGS_PUBLIC_URL',
      kind: optional(httpOrigin),
      default: undefined,
      otherwise: 'made from host and port',
      example: 'https://vote.example.org',
      doc: 'The address that voters see, in links and QR codes. Set it when a proxy stands in front.',
    },
    trustedProxies: {
      flag: 'trusted-proxies',
      env: 'HUSTINGS_TRUSTED_PROXIES',
      kind: trustedProxies,
      default: [],
      otherwise: 'none',
      example: 'loopback',
      doc: 'The proxies in front, by their addresses. Only theirs are the `X-Forwarded-For`, `-Proto` and `-Host` that count: they tell the address of a client, by which it is limited, and how it came where no public URL is set.',
    },
    corsOrigins: {
      flag: 'cors-origins',
      env: 'HUSTINGS_CORS_ORIGINS',
      kind: origins,
      default: [],
      otherwise: 'none',
      example: 'https://example.org,https://app.example.org',
      doc: 'The other sites whose pages may call the API from a browser.',
    },
  }),

  ...group('Polls', {
    preset: {
      flag: 'preset',
      env: 'HUSTINGS_PRESET',
      kind: choice(['features', 'party', 'duel', 'election', 'live', 'none']),
      default: 'features',
      doc: 'What to begin with. `features` creates a sample feature board where it is missing, `party` moves the default port to 3000, `duel` is a poll with two options, a vote page on port 5000 and a results page on port 5001, `election` is a poll whose voters are users with tokens, `live` is for polls that exist from their first vote, and `none` creates nothing.',
    },
    createKey: {
      flag: 'create-key',
      env: 'HUSTINGS_CREATE_KEY',
      kind: optional(headerKey),
      default: undefined,
      otherwise: 'anybody may create polls',
      doc: 'With it, creating polls under `/api/v1` takes this key in the `Create-Key` header. Prefer the variable: other users of the machine can see a flag.',
    },
  }),

  ...group('The preset duel', {
    resultsPort: {
      flag: 'results-port',
      env: 'RESULTS_PORT',
      kind: listeningPort,
      default: 5001,
      doc: 'The TCP port of the results page. Only the preset `duel` opens it.',
    },
    optionA: {
      flag: 'option-a',
      env: 'OPTION_A',
      kind: shortText,
      default: 'Cats',
      doc: 'The name of the first option. Once somebody has voted, the options keep their names.',
    },
    optionB: {
      flag: 'option-b',
      env: 'OPTION_B',
      kind: shortText,
      default: 'Dogs',
      doc: 'The name of the second option, another text than the first.',
    },
  }),

  ...tokenSettings,

  ...group('The preset election', {
    electionCandidates: {
      flag: 'election-candidates',
      env: 'ELECTION_CANDIDATES',
      kind: shortTexts({ min: 2, max: 200 }),
      default: ['Ada Lovelace', 'Grace Hopper', 'Edsger Dijkstra'],
      otherwise: 'Ada Lovelace, Grace Hopper, Edsger Dijkstra',
      example: '"Ada Lovelace, Grace Hopper, Edsger Dijkstra"',
      doc: 'The candidates of the election that the preset `election` creates where it is missing. Later changes are made to the poll itself.',
    },
    votesPerMinuteMax: {
      flag: 'votes-per-minute-max',
      env: 'HUSTINGS_VOTES_PER_MINUTE_MAX',
      kind: count({ unit: 'votes', min: 1, max: 1_000_000 }),
      default: 100,
      doc: 'How many votes one user may send to `/api/v1/vote` in a minute, whatever becomes of them. More are answered with 429.',
    },
    resultsCacheTtlSeconds: {
      flag: 'results-cache-ttl-seconds',
      env: 'RESULTS_CACHE_TTL_SECONDS',
      kind: count({ unit: 'seconds', min: 1, max: 86_400 }),
      default: 60,
      doc: 'How old the results of `/api/v1/results` may be at most, where they come from Redis (`REDIS_URL`). Without it they are always new.',
    },
  }),

  ...group('The preset live', {
    apiPrefix: {
      env: 'API_PREFIX',
      kind: pathPrefix,
      default: '/api/v1',
      doc: 'The path before `/vote/{poll_id}` and `/results/{poll_id}`, where votes make polls. `/` for none. Other routes stay where they are.',
    },
    livePollsMax: {
      flag: 'live-polls-max',
      env: 'HUSTINGS_LIVE_POLLS_MAX',
      kind: count({ unit: 'polls', min: 0, max: 10_000_000 }),
      default: 100_000,
      doc: 'How many polls votes may make there, on all servers together. A vote for one more is answered with 429. With 0 only polls that somebody made take votes.',
    },
    liveOptionsMax: {
      flag: 'live-options-max',
      env: 'HUSTINGS_LIVE_OPTIONS_MAX',
      kind: count({ unit: 'options', min: 1, max: 1_000 }),
      default: 1_000,
      doc: 'How many options such a poll may have. A vote for one more is answered with 429.',
    },
    debug: {
      env: 'DEBUG',
      kind: looseBoolean,
      default: false,
      doc: 'With true, `LOG_LEVEL` is `debug` unless it is set. Other programs have a variable of this name, so only the preset `live` reads it.',
    },
  }),

  ...databaseSettings,

  ...logSettings,

  ...boardSettings,

  ...group('Limits', {
    ballotsWaitingMax: {
      flag: 'ballots-waiting-max',
      env: 'HUSTINGS_BALLOTS_WAITING_MAX',
      kind: count({ unit: 'ballots', min: 1, max: 1_000_000 }),
      default: 20_000,
      doc: 'How many ballots may wait in the server for their answer. At the limit the server answers 503 with `Retry-After` and records nothing of that request.',
    },
    batchBallotsMax: {
      flag: 'batch-ballots-max',
      env: 'HUSTINGS_BATCH_BALLOTS_MAX',
      kind: count({ unit: 'ballots', min: 1, max: 20_000 }),
      default: 4_000,
      doc: 'How many ballots one transaction records at most.',
    },
    recorderLanes: {
      flag: 'recorder-lanes',
      env: 'HUSTINGS_RECORDER_LANES',
      kind: count({ unit: 'lanes', min: 1, max: 16 }),
      default: 2,
      doc: 'How many batches are recorded at the same time. Each lane has a database connection of its own.',
    },
    socketsMax: {
      flag: 'sockets-max',
      env: 'HUSTINGS_SOCKETS_MAX',
      kind: count({ unit: 'connections', min: 1, max: 1_000_000 }),
      default: 50_000,
      doc: 'How many live connections (WebSockets, event streams, long polls) there may be. Beyond it new ones are answered with 503.',
    },
    socketsPerAddressMax: {
      flag: 'sockets-per-address-max',
      env: 'HUSTINGS_SOCKETS_PER_ADDRESS_MAX',
      kind: count({ unit: 'connections', min: 1, max: 1_000_000 }),
      default: 10_000,
      doc: 'How many live connections one address may hold. A whole venue may share one address, and behind a proxy everybody does unless it is named in `HUSTINGS_TRUSTED_PROXIES`.',
    },
    joinMissesPerMinuteMax: {
      flag: 'join-misses-per-minute-max',
      env: 'HUSTINGS_JOIN_MISSES_PER_MINUTE_MAX',
      kind: count({ unit: 'codes', min: 1, max: 1_000_000 }),
      default: 60,
      doc: 'How many join codes that do not exist one address may try in a minute. Then it gets 429 for every code until the minute is over. Where Redis is named (`REDIS_URL`), all servers count together. Behind a proxy everybody shares one address unless it is named in `HUSTINGS_TRUSTED_PROXIES`.',
    },
    poolConnectionsMax: {
      flag: 'pool-connections-max',
      env: 'HUSTINGS_POOL_CONNECTIONS_MAX',
      kind: count({ unit: 'connections', min: 1, max: 200 }),
      default: 8,
      doc: 'How many database connections serve everything but recording.',
    },
    bodyBytesMax: {
      flag: 'body-bytes-max',
      env: 'HUSTINGS_BODY_BYTES_MAX',
      kind: count({ unit: 'bytes', min: 1_024, max: 1_048_576 }),
      default: 16_384,
      doc: 'How large a request body may be. A larger one is answered with 413.',
    },
  }),

  ...group('Live results', {
    liveFrameMs: {
      flag: 'live-frame-ms',
      env: 'HUSTINGS_LIVE_FRAME_MS',
      kind: milliseconds({ min: 10, max: 60_000 }),
      default: 100,
      doc: 'How much time lies between two frames of a live stream at least.',
    },
    liveHeartbeatMs: {
      flag: 'live-heartbeat-ms',
      env: 'HUSTINGS_LIVE_HEARTBEAT_MS',
      kind: milliseconds({ min: 100, max: 600_000 }),
      default: 15_000,
      doc: 'How long a live stream is silent before it gets a heartbeat. A client that shows no sign of life for two of them is gone.',
    },
    bus: {
      flag: 'bus',
      env: 'HUSTINGS_BUS',
      kind: choice(['postgres', 'redis']),
      default: 'postgres',
      doc: 'What tells several servers and workers on one database of the ballots that each of them has counted. Give all of them the same. Redis takes the telling off the database; without it votes show at the others a second later.',
    },
  }),

  ...group('Timeouts', {
    headersTimeoutMs: {
      flag: 'headers-timeout-ms',
      env: 'HUSTINGS_HEADERS_TIMEOUT_MS',
      kind: milliseconds({ min: 10, max: 600_000 }),
      default: 5_000,
      doc: 'How long the headers of a request may take to arrive. At most the request timeout.',
    },
    requestTimeoutMs: {
      flag: 'request-timeout-ms',
      env: 'HUSTINGS_REQUEST_TIMEOUT_MS',
      kind: milliseconds({ min: 10, max: 600_000 }),
      default: 10_000,
      doc: 'How long a whole request may take to arrive. A slower one is answered with 408.',
    },
    statementTimeoutMs: {
      flag: 'statement-timeout-ms',
      env: 'HUSTINGS_STATEMENT_TIMEOUT_MS',
      kind: milliseconds({ min: 10, max: 600_000 }),
      default: 10_000,
      doc: 'How long one statement may run in the database before it is given up.',
    },
    migrationLockTimeoutMs: {
      flag: 'migration-lock-timeout-ms',
      env: 'HUSTINGS_MIGRATION_LOCK_TIMEOUT_MS',
      kind: milliseconds({ min: 10, max: 600_000 }),
      default: 10_000,
      doc: 'How long a migration waits for a lock before it gives up, so that it never holds up voters.',
    },
    drainTimeoutMs: {
      flag: 'drain-timeout-ms',
      env: 'HUSTINGS_DRAIN_TIMEOUT_MS',
      kind: milliseconds({ min: 10, max: 600_000 }),
      default: 10_000,
      doc: 'How long the server may take to finish what it has begun when it is told to stop.',
    },
  }),

  ...group('Metrics', {
    metricsPort: {
      flag: 'metrics-port',
      env: 'HUSTINGS_METRICS_PORT',
      kind: optional(listeningPort),
      default: undefined,
      otherwise: 'no metrics',
      example: '9464',
      doc: 'The TCP port for those who look after the process: `/metrics` for Prometheus, `/healthz` and `/readyz` for probes. Of servers and of workers.',
    },
    metricsHost: {
      flag: 'metrics-host',
      env: 'HUSTINGS_METRICS_HOST',
      kind: host,
      default: '127.0.0.1',
      doc: 'The address to listen on there. Whoever reaches it needs no password and sees numbers only.',
    },
  }),

  ...group('Logs', {
    logLevel: {
      flag: 'log-level',
      env: 'LOG_LEVEL',
      kind: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
      default: 'warn',
      presets: { live: 'info' },
      doc: 'The least important kind of event that is logged. Events go to standard error, one JSON object a line.',
    },
    nodeEnv: {
      env: 'NODE_ENV',
      kind: choice(['production', 'development', 'test']),
      default: 'production',
      doc: 'What kind of run this is, by the custom of Node.js programs. No promise depends on it.',
    },
  }),
};
