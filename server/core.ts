/** The core: everything between the ledger and the doors. Polls, tallies, recording and the hub, put together and kept running. */
import { createMemoryBoard } from './board/memory.ts';
import { createResults, type Results } from './board/results.ts';
import type { TallyBoard } from './board/tally-board.ts';
import type { Config } from './config.ts';
import { createKeyMaker, type KeyMaker } from './identity/voter-key.ts';
import { createDirectIngestLog } from './ingest-log/direct.ts';
import { createCastBallot, type CastBallot } from './intake/cast-ballot.ts';
import { createManagePoll, type ManagePoll } from './intake/manage-poll.ts';
import { createRecorder } from './intake/recorder.ts';
import { createRefusalCounts, type RefusalCounts } from './intake/refusal-counts.ts';
import { createBallotLane } from './ledger/ballot-lane.ts';
import { createLedgerClock, type LedgerClock } from './ledger/clock.ts';
import { createDeletion } from './ledger/deletion.ts';
import { createPollDirectory, type PollDirectory } from './ledger/poll-directory.ts';
import { createPollStore, type PollStore } from './ledger/polls.ts';
import { readOrMakeSecret } from './ledger/secrets.ts';
import { awaitRecording, readLedgerState, readSlots } from './ledger/tallies.ts';
import type { Logger } from './lib/logger.ts';
import { createPreciseNow } from './lib/precise-now.ts';
import { createUuidV7Source } from './lib/uuid-v7.ts';
import type { Bus } from './live/bus.ts';
import { createHub, type Hub } from './live/hub.ts';
import { createKeepCurrent } from './live/keep-current.ts';
import { startPostgresBus } from './live/postgres-bus.ts';
import type { Ledger } from './open-ledger.ts';
import type { Poll } from './poll/poll.ts';
import type { DrainStep } from './ops/drain.ts';

export type Core = {
  readonly now: () => number;
  readonly polls: PollDirectory;
  readonly pollStore: PollStore;
  readonly results: Results;
  readonly hub: Hub;
  readonly castBallot: CastBallot;
  readonly managePoll: ManagePoll;
  readonly refusals: RefusalCounts;
  readonly makeKey: KeyMaker;
  readonly cookieSecret: Buffer;
  /** Ballots that wait for their outcome. */
  readonly waitingCount: () => number;
  /** For how long the recorder has been without the ledger. */
  readonly recorderAwayMs: () => number;
  /** Begins what goes on beside the requests. */
  start(): void;
  /** How the parts end, in order, after the doors are closed. */
  readonly ends: readonly DrainStep[];
};

/** What this process knows of polls and votes, as new as the ledger. */
type Known = {
  readonly clock: LedgerClock;
  readonly store: PollStore;
  readonly polls: PollDirectory;
  readonly board: TallyBoard;
  readonly bus: Bus;
  readonly secrets: Readonly<Record<'cookie' | 'voter' | 'epoch', Buffer>>;
  startLooking(): () => void;
  /** Hears of each poll that another process deletes. */
  onDeleted(listener: (poll: Poll) => void): void;
};

const clockIntervalMs = 5_000;
/** An epoch is no secret; it is made as one because that is made once for each ledger. */
const epochBytes = 8;

export async function openCore(config: Config, ledger: Ledger, log: Logger): Promise<Core> {
  const known = await learn(config, ledger, log);
  const { clock, polls, store, board, bus, secrets } = known;
  const intake = openIntake(config, ledger, known, log);
  const results = createResults({
    epoch: secrets.epoch.toString('hex', 0, epochBytes),
    board,
    polls,
    now: clock.now,
    settledThrough: intake.ingestLog.settledThrough,
  });
  const hub = createHub({ results, pollNow: polls.byNo, frameMs: config.liveFrameMs });
  known.onDeleted(hub.endPoll);
  const deletion = createDeletion(ledger.pool, log);
  const makeId = createUuidV7Source(createPreciseNow());
  const makeKey = createKeyMaker(secrets.voter);
  const refusals = createRefusalCounts();
  const stops: (() => void)[] = [];
  return {
    now: clock.now,
    polls,
    pollStore: store,
    results,
    hub,
    refusals,
    makeKey,
    cookieSecret: secrets.cookie,
    waitingCount: intake.ingestLog.waitingCount,
    recorderAwayMs: intake.recorder.awayMs,
    castBallot: createCastBallot({
      onRefused: refusals.note,
      ingestLog: intake.ingestLog,
      makeKey,
      makeBallotId: makeId,
      askAgain: async (poll) => {
        // Late ballots, by the thousand, need no look-up: what is at hand says why they were refused.
        const status = results.statusOf(poll);
        if (status !== 'open') return { poll, status };
        const fresh = await polls.reload(poll);
        return { poll: fresh, status: results.statusOf(fresh) };
      },
    }),
    managePoll: createManagePoll({
      store,
      directory: polls,
      makePollId: makeId,
      now: clock.now,
      async removePoll(poll) {
        await deletion.remove(poll.pollNo);
        board.drop(poll.pollNo);
        hub.endPoll(poll);
      },
    }),
    start() {
      stops.push(keepMeasuring(clock, log), known.startLooking());
      deletion.sweep();
    },
    ends: [
      ['recorder', intake.close],
      ['hub', hub.stop],
      ['deletion', deletion.stop],
      ['bus', bus.stop],
      ['clock', () => stops.forEach((stop) => stop())],
    ],
  };
}

async function learn(config: Config, { pool, connection }: Ledger, log: Logger): Promise<Known> {
  const clock = createLedgerClock(pool);
  const store = createPollStore(pool);
  const polls = createPollDirectory(store, clock.now);
  const board = createMemoryBoard(() => readLedgerState(pool));
  const listeners: ((poll: Poll) => void)[] = [];
  const current = createKeepCurrent({
    board,
    polls,
    pollStore: store,
    onDeleted: (poll) => listeners.forEach((listener) => listener(poll)),
    readSlots: () => readSlots(pool),
    log,
  });
  // It listens before anything is read: what changes meanwhile is heard.
  const { statementTimeoutMs } = config;
  const bus = await startPostgresBus(connection, current.listener, { statementTimeoutMs, log });
  const [cookie, voter, epoch] = await Promise.all([
    readOrMakeSecret(pool, 'voter_cookie'),
    readOrMakeSecret(pool, 'voter_key'),
    readOrMakeSecret(pool, 'epoch'),
    clock.measure(),
    polls.load(),
    awaitRecording(pool).then(board.load),
  ]);
  return {
    clock,
    store,
    polls,
    board,
    bus,
    secrets: { cookie, voter, epoch },
    startLooking: current.start,
    onDeleted: (listener) => void listeners.push(listener),
  };
}

function openIntake(config: Config, { connection }: Ledger, { board, bus, clock }: Known, log: Logger) {
  const lanes = Array.from({ length: config.recorderLanes }, () =>
    createBallotLane(connection, config.statementTimeoutMs),
  );
  const recorder = createRecorder(
    { lanes, board, onCounted: bus.tell, now: clock.now, log },
    { batchBallotsMax: config.batchBallotsMax },
  );
  const ingestLog = createDirectIngestLog(recorder, { ballotsWaitingMax: config.ballotsWaitingMax });
  return {
    recorder,
    ingestLog,
    async close() {
      await ingestLog.drain();
      await Promise.all(lanes.map((lane) => lane.close()));
    },
  };
}

/** Repeats the measurement while the server runs. A ledger that is away is the recorder's to report. */
function keepMeasuring(clock: LedgerClock, log: Logger): () => void {
  const timer = setInterval(() => {
    clock.measure().catch((error: unknown) => log.debug({ err: error }, 'clock not measured'));
  }, clockIntervalMs);
  timer.unref();
  return () => clearInterval(timer);
}
