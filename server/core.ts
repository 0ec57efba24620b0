/** The core: everything between the ledger and the doors. Polls, tallies, recording and the hub, put together and kept running. */
import type { SharedBoard } from './board/shared-board.ts';
import { createResults, type Results } from './board/results.ts';
import type { Config } from './config.ts';
import { createTokenVerifier, noTokens, type TokenVerifier } from './identity/token.ts';
import { createKeyMaker, type KeyMaker } from './identity/voter-key.ts';
import { createCastBallot, type CastBallot, type Receipt } from './intake/cast-ballot.ts';
import { createBallotStates, type BallotStates } from './intake/ballot-states.ts';
import { createManagePoll, type ManagePoll } from './intake/manage-poll.ts';
import { createMeters, type Meters } from './intake/meters.ts';
import { createRefusalCounts, type RefusalCounts } from './intake/refusal-counts.ts';
import { createDeletion } from './ledger/deletion.ts';
import { createBallotStore, type BallotStore } from './ledger/ballots.ts';
import type { PollDirectory } from './ledger/poll-directory.ts';
import type { PollStore } from './ledger/polls.ts';
import { learn, type Known } from './known.ts';
import type { Logger } from './lib/logger.ts';
import { createPreciseNow } from './lib/precise-now.ts';
import { createUuidV7Source, toUuidText } from './lib/uuid-v7.ts';
import { createHub, type Hub } from './live/hub.ts';
import { openLeaderboard, openSharedBoard } from './open-board.ts';
import { openIntake, type Intake } from './open-intake.ts';
import type { Ledger } from './open-ledger.ts';
import type { DrainStep } from './ops/drain.ts';
import type { PollId } from './poll/poll.ts';

export type Core = {
  readonly now: () => number;
  readonly polls: PollDirectory;
  readonly pollStore: PollStore;
  readonly results: Results;
  readonly sharedBoard: SharedBoard;
  readonly hub: Hub;
  readonly castBallot: CastBallot;
  readonly managePoll: ManagePoll;
  readonly refusals: RefusalCounts;
  /** How long ago the oldest ballot was accepted that has no outcome yet; 0 without a broker. Milliseconds. */
  readonly lagMs: () => number;
  readonly makeKey: KeyMaker;
  readonly tokens: TokenVerifier;
  readonly cookieSecret: Buffer;
  readonly ballots: BallotStore;
  readonly ballotStates: BallotStates;
  /** Ballots that wait for their outcome. */
  readonly waitingCount: () => number;
  /** For how long the recorder has been without the ledger, and the log without its broker. Milliseconds. */
  readonly recorderAwayMs: () => number;
  readonly logAwayMs: () => number;
  /** For how long it is not known that the board has everything that the ledger has. Milliseconds. */
  readonly boardStaleMs: () => number;
  readonly meters: Meters;
  readonly intake: Pick<Intake, 'segments' | 'worker'>;
  /** Begins what goes on beside the requests. */
  start(): Promise<void>;
  /** How the parts end, in order, after the doors are closed. */
  readonly ends: readonly DrainStep[];
};

export async function openCore(config: Config, ledger: Ledger, log: Logger): Promise<Core> {
  const known = await learn(config, ledger, log);
  const { clock, polls, store, board, secrets } = known;
  const sharedBoard = await openSharedBoard({ ring: config.ring, known, ledger, log });
  const meters = createMeters(config.ingestLog.name);
  const intake = await openIntake({ config, ledger, known, log, meters });
  const { ingestLog } = intake;
  const results = createResults({
    epoch: known.epoch.toString('hex'),
    board,
    polls,
    now: clock.now,
    settledThrough: ingestLog.settledThrough,
  });
  const leaders = await openLeaderboard({ ring: config.ring, known, results, log });
  const hub = createHub({ results, pollNow: polls.byNo, frameMs: config.liveFrameMs });
  known.onDeleted(hub.endPoll);
  const deletion = createDeletion(ledger.pool, log);
  const makeKey = createKeyMaker(secrets.voter);
  const tokens = config.tokens === null ? noTokens : await createTokenVerifier(config.tokens, { now: clock.now });
  const refusals = createRefusalCounts();
  const ballots = createBallotStore(ledger.pool);
  return {
    now: clock.now,
    polls,
    pollStore: store,
    results,
    sharedBoard,
    hub,
    refusals,
    makeKey,
    tokens,
    cookieSecret: secrets.cookie,
    ballots,
    ballotStates: createBallotStates({
      findOutcomes: ballots.findOutcomes,
      isOnItsWay: intake.isOnItsWay,
      holds: intake.holds,
      settledThrough: ingestLog.settledThrough,
    }),
    waitingCount: ingestLog.waitingCount,
    lagMs: intake.lagMs,
    recorderAwayMs: intake.recorderAwayMs,
    logAwayMs: intake.logAwayMs,
    boardStaleMs: known.boardStaleMs,
    meters,
    intake,
    castBallot: openCasting({ intake, makeKey, results, polls, ballots, refusals, meters }),
    managePoll: openManaging({ known, intake, tokens, deletion, sharedBoard, hub }),
    async start() {
      known.start();
      deletion.sweep();
      await intake.start();
    },
    ends: [
      ...intake.ends,
      ['hub', hub.stop],
      ['deletion', deletion.stop],
      ['leaderboards', leaders.stop],
      ...known.ends,
      ['nodes', sharedBoard.close],
    ],
  };
}

type ManagingParts = Pick<Core, 'tokens' | 'sharedBoard' | 'hub'> & {
  readonly known: Known;
  readonly intake: Intake;
  readonly deletion: ReturnType<typeof createDeletion>;
};

function openManaging({ known, intake, tokens, deletion, sharedBoard, hub }: ManagingParts): ManagePoll {
  return createManagePoll({
    store: known.store,
    directory: known.polls,
    makePollId: createUuidV7Source(createPreciseNow()),
    now: known.clock.now,
    takesTokens: tokens.hasKeys,
    ballotsTravel: intake.ingestLog.acknowledges === 'acceptance',
    async removePoll(poll) {
      await deletion.remove(poll.pollNo);
      known.board.drop(poll.pollNo);
      sharedBoard.drop(poll);
      hub.endPoll(poll);
    },
  });
}

type CastingParts = Pick<Core, 'makeKey' | 'results' | 'polls' | 'ballots' | 'refusals' | 'meters'> & {
  readonly intake: Intake;
};

function openCasting({ intake, makeKey, results, polls, ballots, refusals, meters }: CastingParts): CastBallot {
  const { ingestLog, stamp } = intake;
  const acknowledgesOutcome = ingestLog.acknowledges === 'outcome';
  return createCastBallot({
    onRefused(poll, error) {
      refusals.note(poll, error);
      meters.ballots.noteRefused(error.code);
    },
    onReceipt: meters.ballots.noteReceipt,
    ingestLog,
    makeKey,
    stamp,
    askAgain: async (poll) => {
      // Late ballots, by the thousand, need no look-up: what is at hand says why they were refused.
      const status = results.statusOf(poll);
      if (status === 'closed' || status === 'closing' || (acknowledgesOutcome && status !== 'open')) {
        return { poll, status };
      }
      const fresh = await polls.reload(poll);
      return { poll: fresh, status: results.statusOf(fresh) };
    },
    ...(acknowledgesOutcome ? {} : { findReceipt: (_poll, ballotId) => findReceipt(ballots, ballotId) }),
  });
}

async function findReceipt(ballots: BallotStore, ballotId: Buffer): Promise<Receipt | null> {
  const found = await ballots.find(toUuidText(ballotId));
  if (found === null) return null;
  const { ballotId: id, pollId, castAt, version } = found;
  return { state: 'counted', ballotId: id, pollId: pollId as PollId, castAt, version }; // As the ledger has it.
}
