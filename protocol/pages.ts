/**
 * What the server hands to each page, for the first rendering and for the script that brings it to life. Plain JSON.
 * Times are RFC 3339; moments to count down from are milliseconds since 1970, by the ledger's clock.
 */
import type { BallotStatus, CountedBallot } from './ballot.ts';
import type { Poll } from './poll.ts';
import type { Series } from './series.ts';
import type { Leaderboard, Tally } from './tally.ts';

export type Language = 'en' | 'de';

/** What every page knows. */
export type PageSetting = {
  readonly language: Language;
  /** Where voters reach this server, without a slash at the end. */
  readonly publicUrl: string;
  /** The ledger's clock when the page was made. A page tells by it how far its own clock is off. */
  readonly nowMs: number;
};

/** A poll with its tally, or with null where this viewer may not see it (yet). */
export type PollShown = { readonly poll: Poll; readonly tally: Tally | null };

/** What became of a ballot that was sent as a form, without a script. */
export type VoteNotice =
  | { readonly kind: 'nothing_chosen' | 'too_few' | 'too_many' | 'user_id_missing' | 'token_missing' | 'token_invalid' }
  | { readonly kind: 'form_foreign' | 'poll_changed' }
  | { readonly kind: 'not_open' | 'paused' }
  | { readonly kind: 'closed'; readonly lateMs: number | null }
  /** Of the ballot that stands; both are empty where it is not known. */
  | { readonly kind: 'duplicate'; readonly ballotId: string; readonly castAt: string }
  /** A log has it, and what becomes of it is not known yet. */
  | { readonly kind: 'received'; readonly ballotId: string }
  | { readonly kind: 'overloaded'; readonly retryAfterSeconds: number }
  | { readonly kind: 'unknown_outcome' | 'was_not_open' | 'not_counted' };

export type PageProps = {
  readonly home: {
    /** Listed polls that are open or scheduled, newest first; at most 50. */
    readonly polls: readonly PollShown[];
    readonly needsCreateKey: boolean;
    /** Whether polls may ask for tokens: this server can verify them. */
    readonly takesTokens: boolean;
    /** What broke a rule in a form that was sent without a script, and what it held. */
    readonly refused: {
      readonly detail: string;
      readonly question: string;
      readonly options: readonly string[];
    } | null;
  };
  readonly join: { readonly code: string; readonly unknown: boolean };
  readonly vote: PollShown & {
    /** This browser's ballot, or the one that `?ballot=` names, where it is in this poll. */
    readonly ballot: CountedBallot | null;
    /** The key under which the form that is shown counts once. */
    readonly idempotencyKey: string;
    readonly chosen: readonly string[];
    /** The name that came with a form which is shown again. */
    readonly userId: string;
    /** Whether `ballot` is to be changed: the page begins with the form. */
    readonly changing: boolean;
    readonly notice: VoteNotice | null;
    /** In a frame of another site: no links that lead away. */
    readonly embedded: boolean;
  };
  readonly results: PollShown & { readonly series: Series | null };
  readonly present: PollShown & {
    /** Whether this browser holds the poll's manage cookie, so that its keys do something. */
    readonly manager: boolean;
    /** The slugs of the polls to step through, this one among them. */
    readonly deck: readonly string[];
  };
  readonly manage: {
    /** The poll of the address; shown to everybody, since it says nothing secret. */
    readonly poll: Poll;
    /** null until the key in the fragment was exchanged for a cookie. */
    readonly tally: Tally | null;
    readonly manager: boolean;
  };
  readonly leaderboard: { readonly all: Leaderboard; readonly lastTenMinutes: Leaderboard };
  readonly receipt: { readonly ballotId: string; readonly ballot: BallotStatus | null; readonly poll: Poll | null };
  /** A refusal as a page: an unknown poll, a page that does not exist. */
  readonly problem: { readonly status: number; readonly code: string; readonly title: string; readonly detail: string };
};

export type PageName = keyof PageProps;
