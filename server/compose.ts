/** From the configuration to running parts. The only file that names every adapter. */
import type { FastifyBaseLogger } from 'fastify';
import { createMemoryBoard } from './board/memory.ts';
import { createResults } from './board/results.ts';
import type { Config } from './config.ts';
import { featuresContract, toFeatureBoard } from './contracts/features.ts';
import { partyContract } from './contracts/party.ts';
import { AppError } from './errors.ts';
import { createHttpApp } from './http/app.ts';
import type { HttpApp, HttpParts } from './http/parts.ts';
import { stopQuietly } from './http/quiet-stop.ts';
import { createVoterCookies } from './identity/voter-cookie.ts';
import { createKeyMaker } from './identity/voter-key.ts';
import { createDirectIngestLog } from './ingest-log/direct.ts';
import type { IngestLog } from './ingest-log/ingest-log.ts';
import { createCastBallot } from './intake/cast-ballot.ts';
import { createManagePoll } from './intake/manage-poll.ts';
import { createRecorder } from './intake/recorder.ts';
import { createBallotLane, type BallotLane } from './ledger/ballot-lane.ts';
import { createBallotStore } from './ledger/ballots.ts';
import { createLedgerClock, type LedgerClock } from './ledger/clock.ts';
import { createPollDirectory } from './ledger/poll-directory.ts';
import { createPollStore } from './ledger/polls.ts';
import { readOrMakeSecret } from './ledger/secrets.ts';
import { awaitRecording, readLedgerState } from './ledger/tallies.ts';
import { createPreciseNow } from './lib/precise-now.ts';
import { createUuidV7Source } from './lib/uuid-v7.ts';
import { openLedger, type Ledger } from './open-ledger.ts';
import { createDrain } from './ops/drain.ts';
import { createHealth } from './ops/health.ts';

export type Running = {
  readonly app: HttpApp;
  /** The port that was asked for, or the one that the system chose for port 0. */
  readonly port: number;
  readonly ledger: Ledger;
  /** Answers everything under way, then ends every part in the reverse order of its start. */
  stop(): Promise<void>;
};

export type ComposeOptions = {
  readonly log: FastifyBaseLogger;
  /** What is under way during a long start, in words for whoever waits. */
  readonly onProgress: (text: string) => void;
  /** The data folder was taken by another server while the database was away: this process must end. */
  readonly onLost: (error: Error) => void;
};

const clockIntervalMs = 5_000;

export async function startHustings(config: Config, options: ComposeOptions): Promise<Running> {
  const ledger = await openLedger(config, options);
  try {
    return await startOnLedger(config, options, ledger);
  } catch (error) {
    await ledger.close();
    throw error;
  }
}

async function startOnLedger(config: Config, { log }: ComposeOptions, ledger: Ledger): Promise<Running> {
  const { pool, connection } = ledger;
  const clock = createLedgerClock(pool);
  const store = createPollStore(pool);
  const polls = createPollDirectory(store, clock.now);
  const board = createMemoryBoard(() => readLedgerState(pool));
  const [cookieSecret, voterSecret] = await Promise.all([
    readOrMakeSecret(pool, 'voter_cookie'),
    readOrMakeSecret(pool, 'voter_key'),
    clock.measure(),
    polls.load(),
    awaitRecording(pool).then(board.load),
  ]);

  const lanes = Array.from({ length: config.recorderLanes }, () =>
    createBallotLane(connection, config.statementTimeoutMs),
  );
  const recorder = createRecorder({ lanes, board, now: clock.now, log }, { batchBallotsMax: config.batchBallotsMax });
  const ingestLog = createDirectIngestLog(recorder, { ballotsWaitingMax: config.ballotsWaitingMax });
  const results = createResults({ board, polls, now: clock.now, settledThrough: ingestLog.settledThrough });
  const makeKey = createKeyMaker(voterSecret);
  const makeId = createUuidV7Source(createPreciseNow());
  const managePoll = createManagePoll({ store, directory: polls, makePollId: makeId, now: clock.now });
  const castBallot = createCastBallot({
    ingestLog,
    makeKey,
    makeBallotId: makeId,
    askAgain: async (poll) => {
      // Late ballots, by the thousand, need no look-up: what is at hand says why they were refused.
      const status = results.statusOf(poll);
      if (status !== 'open') return { poll, status };
      const fresh = await polls.reload(poll);
      return { poll: fresh, status: results.statusOf(fresh) };
    },
  });
  const parts: HttpParts = {
    castBallot,
    managePoll,
    polls,
    pollStore: store,
    ballots: createBallotStore(pool),
    results,
    cookies: createVoterCookies(cookieSecret),
    makeKey,
    health: createHealth({ askLedger: () => pool.query('select 1'), recorderAwayMs: recorder.awayMs }),
    log,
  };

  if (config.preset === 'features') await makeFeatureBoard(parts);
  const { app, requestCount } = await createHttpApp(parts, toHttpOptions(config), [featuresContract, partyContract]);
  const address = new URL(await app.listen({ host: config.host, port: config.port }));
  const stopClock = keepMeasuring(clock, log);
  return {
    app,
    ledger,
    port: Number(address.port),
    stop: createDrain({ timeoutMs: config.drainTimeoutMs, log }, [
      ['health', () => parts.health.beginDrain()],
      ['http', () => stopQuietly(app, { requestCount, waitingCount: ingestLog.waitingCount })],
      ['recorder', () => closeRecording(ingestLog, lanes)],
      ['clock', stopClock],
      ['ledger', ledger.close],
    ]),
  };
}

async function closeRecording(ingestLog: IngestLog, lanes: readonly BallotLane[]): Promise<void> {
  await ingestLog.drain();
  await Promise.all(lanes.map((lane) => lane.close()));
}

function toHttpOptions(config: Config) {
  const { bodyBytesMax, headersTimeoutMs, requestTimeoutMs, corsOrigins } = config;
  return {
    bodyBytesMax,
    headersTimeoutMs,
    requestTimeoutMs,
    corsOrigins,
    createKey: config.createKey?.reveal() ?? null,
  };
}

/** The sample board, so that there is something to vote on. Its manage key is thrown away: nobody needs to change a sample. */
async function makeFeatureBoard({ polls, managePoll, results }: HttpParts): Promise<void> {
  const board = toFeatureBoard(results.now());
  if (board.slug === null || (await polls.find(board.slug)) !== null) return;
  try {
    await managePoll.create(board);
  } catch (error) {
    // Another server that starts at the same moment made it.
    if (!(error instanceof AppError && error.code === 'slug_taken')) throw error;
  }
}

/** Repeats the measurement while the server runs. A ledger that is away is the recorder's to report. */
function keepMeasuring(clock: LedgerClock, log: FastifyBaseLogger): () => void {
  const timer = setInterval(() => {
    clock.measure().catch((error: unknown) => log.debug({ err: error }, 'clock not measured'));
  }, clockIntervalMs);
  timer.unref();
  return () => clearInterval(timer);
}
