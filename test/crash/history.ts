/**
 * What clients did and saw: one line before a request and one after it, in the order in which that happened.
 * It imports nothing from the server.
 */

/** One ballot as a client means it. The same key always comes with the same ballot. */
export type Cast = {
  readonly poll: string;
  readonly policy: 'open' | 'refuse' | 'replace';
  /** The interface that it goes through. */
  readonly door: 'rest' | 'party' | 'features';
  /** null where the poll does not tell voters apart. */
  readonly user: string | null;
  readonly key: string;
  readonly option: string;
};

export type Receipt = {
  readonly ballotId: string;
  /** null where it does not say. */
  readonly castAt: string | null;
};

export type Sent = Cast & {
  readonly kind: 'sent';
  readonly no: number;
  /** Sent when all faults were over. */
  readonly final: boolean;
};

export type Ended = {
  readonly kind: 'ended';
  readonly no: number;
  /** `ok`: acknowledged. `fail`: refused with `recorded: "no"`. `unknown`: everything else. */
  readonly outcome: 'ok' | 'fail' | 'unknown';
  /** Whether there was an answer over HTTP at all. */
  readonly answered: boolean;
  /** The body of an acknowledgement, and what it says where its door gives receipts. */
  readonly text: string | null;
  readonly receipt: Receipt | null;
  /** What an answer that refuses says of its kind, and whether it says when to come back. */
  readonly refusal: { readonly status: number; readonly retryAfter: boolean } | null;
};

export type Entry = Sent | Ended;

export type Operation = Omit<Sent, 'kind'> &
  Omit<Ended, 'kind' | 'refusal'> & {
    /** Places in the history: of the first request with this ballot, and of the end of this one. */
    readonly firstSentAt: number;
    readonly endedAt: number;
  };

/** Requests with what became of them. One that never ended is `unknown`. */
export function readOperations(history: readonly Entry[]): Operation[] {
  const ends = new Map<number, Ended & { at: number }>();
  const firstSentAt = new Map<string, number>();
  for (const [at, entry] of history.entries()) {
    if (entry.kind === 'ended') ends.set(entry.no, { ...entry, at });
    else if (!firstSentAt.has(toName(entry))) firstSentAt.set(toName(entry), at);
  }
  return history.flatMap((entry) => {
    if (entry.kind !== 'sent') return [];
    const end = ends.get(entry.no);
    const { kind: _kind, ...sent } = entry;
    const first = firstSentAt.get(toName(entry)) ?? 0;
    if (end === undefined) return [{ ...sent, ...neverEnded, firstSentAt: first }];
    const { outcome, answered, text, receipt, at } = end;
    return [{ ...sent, outcome, answered, text, receipt, firstSentAt: first, endedAt: at }];
  });
}

const neverEnded = {
  outcome: 'unknown',
  answered: false,
  text: null,
  receipt: null,
  endedAt: Number.POSITIVE_INFINITY,
} as const;

function toName({ poll, user, key }: Cast): string {
  return `${poll} ${user ?? ''} ${key}`;
}
