/** A poll as the server holds it: times in milliseconds since 1970, by the ledger's clock. */

export type PollId = string & { readonly brand: 'PollId' };
export type OptionId = string & { readonly brand: 'OptionId' };

/** Who may vote, and what "one ballot per voter" means. `code` is kept free in the ledger. */
export type Electorate = 'open' | 'cookie' | 'declared' | 'token';
/** What a second ballot of the same voter does. */
export type Revote = 'refuse' | 'replace';
/** Who may see the results, and from when on. */
export type Visibility = 'always' | 'after_vote' | 'after_close' | 'manager';

/** `ballot`: options to choose from, then a vote. `board`: each option with a vote button and its count. */
export type Layout = 'ballot' | 'board';

export type Option = {
  /** The place on the ballot, from 1. It never changes. */
  readonly optionNo: number;
  /** What clients name the option by; unique within its poll. */
  readonly id: OptionId;
  readonly text: string;
  readonly description: string | null;
};

export type Schedule = {
  /** null: nobody has opened the poll and no time is set. */
  readonly opensAt: number | null;
  /** The first instant at which a ballot is late. null: open until somebody closes it. */
  readonly closesAt: number | null;
  /** When voting was paused; null while it is not. */
  readonly pausedAt: number | null;
};

/** The part of a poll that its creator decides. */
export type PollTerms = {
  readonly question: string;
  readonly description: string | null;
  readonly electorate: Electorate;
  /** How many may vote, where that is known; turnout is counted against it. */
  readonly electorateSize: number | null;
  readonly revote: Revote;
  readonly visibility: Visibility;
  /** How many options one ballot may select: 1 and 1 is a single choice. */
  readonly selectionsMin: number;
  readonly selectionsMax: number;
  /** Whether lists and leaderboards name the poll; otherwise only its address leads to it. */
  readonly listed: boolean;
  /** How the vote page shows the options. */
  readonly layout: Layout;
  /** The accent of its pages, `#rrggbb` in lower case; null: that of the house. */
  readonly color: string | null;
  /** Origins whose pages may show the poll in a frame; `*` stands for all. */
  readonly embedParents: readonly string[];
};

/** The terms of a poll that asks for nothing special: a single choice, one's mind made up, results for everybody. */
export const plainTerms = {
  description: null,
  electorateSize: null,
  revote: 'refuse',
  visibility: 'always',
  selectionsMin: 1,
  selectionsMax: 1,
  listed: true,
  layout: 'ballot',
  color: null,
  embedParents: [],
} as const satisfies Partial<PollTerms>;

export type Poll = PollTerms &
  Schedule & {
    /** The ledger's short number for the poll. Never shown. */
    readonly pollNo: number;
    readonly id: PollId;
    readonly slug: string;
    readonly joinCode: string;
    /** In ballot order: the option with number n stands at index n - 1. */
    readonly options: readonly Option[];
    readonly optionNoById: ReadonlyMap<string, number>;
    /** Grows by one with every change to the poll. */
    readonly revision: number;
    /** Grows by one with every change to the options or to the rules for ballots. */
    readonly ballotForm: number;
    readonly createdAt: number;
    /** The id under which votes made the poll and its options; null: somebody created it. */
    readonly madeAs: string | null;
    readonly manageKeyHash: Buffer;
    /** The picture itself is read only when somebody asks for it. */
    readonly hasLogo: boolean;
  };
