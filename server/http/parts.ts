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
import type { KeyMaker } from '../identity/voter-key.ts';
import type { VoterCookies } from '../identity/voter-cookie.ts';
import type { CastBallot } from '../intake/cast-ballot.ts';
import type { ManagePoll } from '../intake/manage-poll.ts';
import type { BallotStore } from '../ledger/ballots.ts';
import type { PollDirectory } from '../ledger/poll-directory.ts';
import type { PollStore } from '../ledger/polls.ts';
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
  readonly pollStore: Pick<PollStore, 'listNewest' | 'listEvents' | 'find'>;
  readonly ballots: BallotStore;
  readonly results: Results;
  readonly cookies: VoterCookies;
  readonly makeKey: KeyMaker;
  readonly health: Health;
  readonly log: FastifyBaseLogger;
};

export type HttpOptions = {
  readonly bodyBytesMax: number;
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** Origins whose pages may call the API; `*` for all. */
  readonly corsOrigins: '*' | readonly string[];
  /** With it, creating polls under /api/v1 takes this key. */
  readonly createKey: string | null;
};
