/** Everything that the contract `live` needs besides the routes: what makes polls for votes. */
import { randomInt } from 'node:crypto';
import type { SharedBoard } from '../board/shared-board.ts';
import type { Contract } from '../http/app.ts';
import type { HttpParts } from '../http/parts.ts';
import { drawManageKey, hashManageKey } from '../identity/manage-key.ts';
import { createPollsByVote } from '../intake/polls-by-vote.ts';
import { createPollsByVoteStore, type DrawnNames, type VotedLimits } from '../ledger/polls-by-vote.ts';
import type { Pool } from '../ledger/postgres.ts';
import { createPreciseNow } from '../lib/precise-now.ts';
import { createUuidV7Source, toUuidText } from '../lib/uuid-v7.ts';
import { drawJoinCode, drawSlug } from '../poll/names.ts';
import { createLiveContract, type LiveOptions } from './live.ts';

export type LivePresetOptions = LiveOptions & { readonly limits: VotedLimits };

type LiveHouse = Pick<HttpParts, 'polls'> & { readonly pool: Pool; readonly sharedBoard: SharedBoard };

export function makeLive({ pool, polls, sharedBoard }: LiveHouse, { limits, ...options }: LivePresetOptions): Contract {
  const store = createPollsByVoteStore(pool, createNameDrawer());
  const pollsByVote = createPollsByVote({ store, directory: polls, limits });
  return createLiveContract({ pollsByVote, sharedBoard }, options);
}

/** Nobody is told the manage key, so nobody manages the poll. */
function createNameDrawer(): (name: string) => DrawnNames {
  const makeId = createUuidV7Source(createPreciseNow());
  return (name) => ({
    id: toUuidText(makeId()),
    slug: drawSlug(name, randomInt),
    joinCode: drawJoinCode(randomInt),
    manageKeyHash: hashManageKey(drawManageKey()),
  });
}
