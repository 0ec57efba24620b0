/** What a process knows of polls and votes, kept as new as the ledger. */
import { createDeltaTail, withTail, type TailedBoard } from './board/delta-tail.ts';
import { createMemoryBoard } from './board/memory.ts';
import type { TallyBoard } from './board/tally-board.ts';
import type { Config } from './config.ts';
import { createLedgerClock, type LedgerClock } from './ledger/clock.ts';
import { createPollDirectory, type PollDirectory } from './ledger/poll-directory.ts';
import { createPollStore, type PollStore } from './ledger/polls.ts';
import { readOrMakeSecret } from './ledger/secrets.ts';
import { awaitRecording, readLedgerState, readSlots } from './ledger/tallies.ts';
import type { Logger } from './lib/logger.ts';
import type { Bus, BusListener } from './live/bus.ts';
import { createKeepCurrent } from './live/keep-current.ts';
import { startPostgresBus } from './live/postgres-bus.ts';
import { startRedisBus } from './live/redis-bus.ts';
import type { Ledger } from './open-ledger.ts';
import type { DrainStep } from './ops/drain.ts';
import type { Poll } from './poll/poll.ts';

export type Known = {
  readonly clock: LedgerClock;
  readonly store: PollStore;
  readonly polls: PollDirectory;
  readonly board: TallyBoard;
  /** The same board with what the nodes of a shared one may not have yet; null where the settings name no nodes. */
  readonly tailed: TailedBoard | null;
  readonly bus: Bus;
  /** What every process of the installation shares. */
  readonly secrets: Readonly<Record<'cookie' | 'voter', Buffer>>;
  /** Names the ledger, 8 bytes. No secret. */
  readonly epoch: Buffer;
  /** For how long it is not known that the board has everything that the ledger has. Milliseconds. */
  boardStaleMs(): number;
  /** Hears of each poll that another process deletes. */
  onDeleted(listener: (poll: Poll) => void): void;
  /** Begins to keep it current. */
  start(): void;
  readonly ends: readonly DrainStep[];
};

const clockIntervalMs = 1_000;
/** An epoch is made as a secret because that is made once for each ledger. */
const epochBytes = 8;

export async function learn(config: Config, { pool, connection }: Ledger, log: Logger): Promise<Known> {
  const clock = createLedgerClock(pool);
  const store = createPollStore(pool);
  const polls = createPollDirectory(store, clock.now);
  const memory = createMemoryBoard(() => readLedgerState(pool));
  const tailed = config.ring === null ? null : withTail(memory, createDeltaTail());
  const board = tailed ?? memory;
  const listeners: ((poll: Poll) => void)[] = [];
  const stops: (() => void)[] = [];
  const current = createKeepCurrent({
    board,
    polls,
    pollStore: store,
    onDeleted: (poll) => listeners.forEach((listener) => listener(poll)),
    readSlots: () => readSlots(pool),
    log,
  });
  const listener = tailed === null ? current.listener : sealing(current.listener, tailed);
  const epoch = (await readOrMakeSecret(pool, 'epoch')).subarray(0, epochBytes);
  // It listens before anything is read: what changes meanwhile is heard.
  const busOptions = { statementTimeoutMs: config.statementTimeoutMs, log };
  const bus =
    config.bus.name === 'postgres'
      ? await startPostgresBus(connection, listener, busOptions)
      : await startRedisBus(connection, listener, {
          ...busOptions,
          place: config.bus.place,
          installation: epoch.toString('hex'),
        });
  const [cookie, voter] = await Promise.all([
    readOrMakeSecret(pool, 'voter_cookie'),
    readOrMakeSecret(pool, 'voter_key'),
    clock.measure(),
    polls.load(),
    awaitRecording(pool).then(board.load),
  ]);
  return {
    clock,
    store,
    polls,
    board,
    tailed,
    bus,
    secrets: { cookie, voter },
    epoch,
    boardStaleMs: current.staleMs,
    onDeleted: (listener) => void listeners.push(listener),
    start: () => void stops.push(keepMeasuring(clock, log), current.start()),
    ends: [
      ['bus', bus.stop],
      ['clock', () => stops.forEach((stop) => stop())],
    ],
  };
}

/** What was told, by this process or another, is where all of them can go on. */
function sealing(listener: BusListener, { tail: { seal } }: TailedBoard): BusListener {
  return {
    ...listener,
    onTold: ({ slot, batchNo }) => seal(slot, batchNo),
    onDelta(delta) {
      listener.onDelta(delta);
      seal(delta.slot, delta.batchNo);
    },
  };
}

/** Repeats the measurement while the process runs. A ledger that is away is the recorder's to report. */
function keepMeasuring(clock: LedgerClock, log: Logger): () => void {
  const timer = setInterval(() => {
    clock.measure().catch((error: unknown) => log.debug({ err: error }, 'clock not measured'));
  }, clockIntervalMs);
  timer.unref();
  return () => clearInterval(timer);
}
