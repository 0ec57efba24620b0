/** What the routes work with. Each route takes the part of it that it needs. */
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Results } from '../board/results.ts';
import type { SeriesReader } from '../board/series.ts';
import type { KeyMaker } from '../identity/voter-key.ts';
import type { BrowserCookies } from '../identity/browser-cookies.ts';
import type { TokenVerifier } from '../identity/token.ts';
import type { BallotStates } from '../intake/ballot-states.ts';
import type { CastBallot } from '../intake/cast-ballot.ts';
import type { ManagePoll } from '../intake/manage-poll.ts';
import type { RefusalCounts } from '../intake/refusal-counts.ts';
import type { BallotStore } from '../ledger/ballots.ts';
import type { Forwarding } from '../lib/forwarding.ts';
import type { Hub } from '../live/hub.ts';
import type { Keeper } from '../live/keeper.ts';
import type { Upgrades } from '../live/upgrades.ts';
import type { SocketDoor } from '../live/websocket.ts';
import type { ExportedBallot } from '../ledger/export.ts';
import type { PollDirectory } from '../ledger/poll-directory.ts';
import type { PollStore } from '../ledger/polls.ts';
import type { JoinDoor } from './join-door.ts';
import type { PageAnswers } from './page-answers.ts';
import type { RequestMeter } from './request-meter.ts';
import type { Health } from '../ops/health.ts';

/** Fastify whose handlers have the types of their schemas. */
export type HttpApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

export type HttpParts = {
  readonly castBallot: CastBallot;
  readonly managePoll: ManagePoll;
  readonly polls: PollDirectory;
  readonly pollStore: Pick<PollStore, 'listNewest' | 'listEvents' | 'find' | 'readLogo'>;
  readonly ballots: BallotStore;
  readonly ballotStates: BallotStates;
  readonly results: Results;
  readonly hub: Hub;
  readonly series: SeriesReader;
  /** The counted ballots of a poll, page by page. */
  readonly readBallots: (pollNo: number) => AsyncIterable<readonly ExportedBallot[]>;
  readonly cookies: BrowserCookies;
  readonly tokens: TokenVerifier;
  /** Where the server is reached, and from which other sites. */
  readonly site: OriginOptions;
  readonly forwarding: Forwarding;
  readonly live: LiveDoor;
  readonly makeKey: KeyMaker;
  readonly refusals: Pick<RefusalCounts, 'of'>;
  /** How long ago the oldest ballot was accepted that has no outcome yet; 0 without a broker. Milliseconds. */
  readonly lagMs: () => number;
  /** Ballots that were accepted and wait for their outcome, of all polls. */
  readonly waitingCount: () => number;
  readonly joinDoor: JoinDoor;
  readonly health: Health;
  /** null where nobody asks how many requests there were. */
  readonly requestMeter: RequestMeter | null;
  readonly pages: PageAnswers;
  readonly log: FastifyBaseLogger;
};

export type LiveDoor = { readonly keeper: Keeper; readonly door: SocketDoor; readonly upgrades: Upgrades };

type OriginOptions = Pick<HttpOptions, 'publicUrl' | 'corsOrigins'>;

export type HttpOptions = {
  /** Where voters reach the server; null: wherever they did. */
  readonly publicUrl: string | null;
  readonly bodyBytesMax: number;
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** Origins whose pages may call the API; `*` for all. */
  readonly corsOrigins: '*' | readonly string[];
  /** With it, creating polls under /api/v1 takes this key. */
  readonly createKey: string | null;
};
