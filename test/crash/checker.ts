/**
 * Compares what clients saw with what the ledger holds. It imports nothing from the server: its view of the rules is its own.
 * The invariants carry the numbers of the project's promises (I1 to I8, I13, I14).
 */
import { readOperations, type Entry, type Operation } from './history.ts';

/** One row of the ledger, its hashed names turned back into those that clients sent; a name that nobody sent stays a hash. */
export type LedgerRow = {
  readonly ballotId: string;
  readonly poll: string;
  /** null where the poll does not tell voters apart. */
  readonly user: string | null;
  readonly key: string | null;
  readonly option: string;
  readonly castAt: string;
  /** When it was accepted, where that was before it was recorded; null where the order of the ids is that of acceptance. */
  readonly acceptedUs: number | null;
  /** false for a ballot that was superseded. */
  readonly counted: boolean;
};

/** An acknowledged ballot that was refused when it was recorded. */
export type Refusal = { readonly ballotId: string; readonly reason: string };

/** What a server says at rest of a ballot whose receipt somebody holds. */
export type Told = { readonly ballotId: string; readonly status: string };

/** A count of all ballots of a poll, read while votes were cast. */
export type Read = {
  readonly poll: string;
  readonly total: number;
  /** The length of the history when the answer came. */
  readonly readAt: number;
};

/** What one connection was sent of a poll, in its order. */
export type Followed = {
  readonly poll: string;
  readonly frames: readonly { readonly version: number; readonly total: number }[];
  /** It lived to the end, so its last frame is the tally at rest. */
  readonly isWhole: boolean;
};

export type PollFacts = {
  readonly poll: string;
  readonly policy: Operation['policy'];
  readonly options: readonly string[];
  /** The names of the surfaces that must show it. */
  readonly surfaces: readonly string[];
};

/** Counts of one poll by option, as one surface shows them. */
export type Surface = {
  readonly name: string;
  readonly poll: string;
  readonly counts: Readonly<Record<string, number>>;
};

export type Fault = { readonly kind: string; readonly underWay: number };

export type Evidence = {
  readonly history: readonly Entry[];
  readonly ledger: readonly LedgerRow[];
  readonly polls: readonly PollFacts[];
  readonly surfaces: readonly Surface[];
  readonly faults: readonly Fault[];
  readonly faultsMin: number;
  readonly acknowledgedMin: number;
  /** What an acknowledgement means: the ballot counts, or a log has it and what becomes of it is decided later. */
  readonly acknowledges: 'outcome' | 'acceptance';
  readonly refusals: readonly Refusal[];
  readonly told: readonly Told[];
  readonly reads: readonly Read[];
  readonly followed: readonly Followed[];
};

/** The violated invariants, one sentence each. */
export function check(evidence: Evidence): string[] {
  const operations = readOperations(evidence.history);
  const acknowledged = operations.filter(({ outcome }) => outcome === 'ok');
  return [
    ...checkAcknowledged(acknowledged, evidence),
    ...checkSent(operations, evidence.ledger),
    ...checkRefused(operations, evidence),
    ...checkOnePerVoter(evidence),
    ...checkOrder(acknowledged, evidence.ledger),
    ...checkSurfaces(evidence),
    ...checkReads(evidence),
    ...checkFollowed(evidence),
    ...checkReceipts(acknowledged, evidence),
    ...checkTold(acknowledged, evidence),
    ...checkNotEmpty(acknowledged, evidence),
  ];
}

/** I1: exactly one row for each acknowledged ballot, and it is what was cast; or it was refused because another one of its voter counts. */
function checkAcknowledged(acknowledged: readonly Operation[], { ledger, refusals }: Evidence): string[] {
  const byId = Map.groupBy(ledger, ({ ballotId }) => ballotId);
  const byKey = Map.groupBy(ledger, toBallotName);
  const voters = new Set(ledger.filter(({ counted }) => counted).map(toVoterName));
  const secondBallots = new Set(
    refusals.filter(({ reason }) => reason === 'ballot_already_cast').map(({ ballotId }) => ballotId),
  );
  return acknowledged.flatMap((operation) => {
    const { receipt, policy } = operation;
    // A door that gives no receipt names the ballot by its key alone.
    const rows = (receipt === null ? byKey.get(toBallotName(operation)) : byId.get(receipt.ballotId)) ?? [];
    const [row] = rows;
    const isSecond = policy === 'refuse' && receipt !== null && secondBallots.has(receipt.ballotId);
    if (row === undefined && isSecond && voters.has(toVoterName(operation))) return [];
    if (row === undefined || rows.length > 1) {
      return [`I1: the ledger has ${rows.length} rows for the acknowledged ballot ${toBallotName(operation)}.`];
    }
    const isSame = toBallotName(row) === toBallotName(operation) && row.option === operation.option;
    // A retry that a log accepted says when that was, and the ballot may have been accepted before.
    const saysTime = receipt !== null && receipt.castAt !== null && row.acceptedUs === null;
    const isSameTime = !saysTime || row.castAt === receipt.castAt;
    return isSame && isSameTime ? [] : [`I1: the row of the ballot ${toBallotName(operation)} is not what was cast.`];
  });
}

/** I2: each row was sent by somebody, and what was sent with one key is there once. */
function checkSent(operations: readonly Operation[], ledger: readonly LedgerRow[]): string[] {
  const sent = new Set(operations.map((operation) => `${toBallotName(operation)} ${operation.option}`));
  const faults: string[] = [];
  for (const [name, rows] of Map.groupBy(ledger, toBallotName)) {
    if (rows.length > 1) faults.push(`I2: ${rows.length} rows for the ballot ${name}.`);
    for (const { option } of rows) {
      if (!sent.has(`${name} ${option}`)) faults.push(`I2: nobody sent the ballot ${name} for ${option}.`);
    }
  }
  return faults;
}

/** I3: a ballot that was refused each time it was sent, or when it was recorded, is not in the ledger. */
function checkRefused(operations: readonly Operation[], { ledger, refusals }: Evidence): string[] {
  const rows = new Set(ledger.map(toBallotName));
  const ids = new Set(ledger.map(({ ballotId }) => ballotId));
  const atOnce = [...Map.groupBy(operations, toBallotName)]
    .filter(([name, attempts]) => rows.has(name) && attempts.every(({ outcome }) => outcome === 'fail'))
    .map(([name]) => name);
  const later = refusals.map(({ ballotId }) => ballotId).filter((ballotId) => ids.has(ballotId));
  return [...atOnce, ...later].map((name) => `I3: the refused ballot ${name} is in the ledger.`);
}

/** I4: one counted ballot for each voter; where ballots replace each other, the last accepted one. */
function checkOnePerVoter({ ledger, polls }: Evidence): string[] {
  const policies = new Map(polls.map(({ poll, policy }) => [poll, policy]));
  const faults: string[] = [];
  const told = ledger.filter(({ poll }) => policies.get(poll) !== 'open');
  for (const [voter, rows] of Map.groupBy(told, toVoterName)) {
    const counted = rows.filter((row) => row.counted);
    if (counted.length !== 1) faults.push(`I4: ${counted.length} counted ballots for ${voter}.`);
    const isReplacing = policies.get(rows[0]?.poll ?? '') === 'replace';
    if (!isReplacing && rows.length > 1) faults.push(`I4: ${rows.length} accepted ballots for ${voter}.`);
    const last = rows.reduce((latest, row) => (toOrder(row) > toOrder(latest) ? row : latest));
    if (!last.counted) faults.push(`I4: not the last accepted ballot counts for ${voter}.`);
  }
  const uncounted = ledger.filter(({ poll, counted }) => policies.get(poll) === 'open' && !counted);
  return [...faults, ...uncounted.map((row) => `I4: the ballot ${toBallotName(row)} does not count.`)];
}

/** I4: a ballot that was sent after another one of its voter had been acknowledged was accepted after it. */
function checkOrder(acknowledged: readonly Operation[], ledger: readonly LedgerRow[]): string[] {
  const orderOf = new Map(ledger.map((row) => [toBallotName(row), toOrder(row)]));
  const faults: string[] = [];
  const voters = Map.groupBy(
    acknowledged.filter(({ policy }) => policy === 'replace'),
    toVoterName,
  );
  for (const [voter, operations] of voters) {
    const ballots = [...Map.groupBy(operations, toBallotName)].map(([name, attempts]) => ({
      order: orderOf.get(name) ?? '',
      sentAt: Math.min(...attempts.map(({ firstSentAt }) => firstSentAt)),
      endedAt: Math.min(...attempts.map(({ endedAt }) => endedAt)),
    }));
    const isWrong = ballots.some((earlier) =>
      ballots.some((later) => earlier.endedAt < later.sentAt && earlier.order > later.order),
    );
    if (isWrong) faults.push(`I4: the ballots of ${voter} were not accepted in the order of their acknowledgements.`);
  }
  return faults;
}

/** I5: every surface of every poll shows the count over the ledger, option by option. */
function checkSurfaces({ ledger, polls, surfaces }: Evidence): string[] {
  const counted = Map.groupBy(
    ledger.filter((row) => row.counted),
    ({ poll, option }) => `${poll} ${option}`,
  );
  const shown = new Map(surfaces.map(({ name, poll, counts }) => [`${name} ${poll}`, counts]));
  return polls.flatMap(({ poll, options, surfaces: names }) =>
    names.flatMap((name) =>
      options.flatMap((option) => {
        const votes = shown.get(`${name} ${poll}`)?.[option];
        const expected = counted.get(`${poll} ${option}`)?.length ?? 0;
        return votes === expected
          ? []
          : [`I5: ${name} shows ${votes ?? 'nothing'} for ${poll} ${option}, the ledger has ${expected}.`];
      }),
    ),
  );
}

/** I6: nobody reads more ballots than were sent. */
function checkReads({ history, reads }: Evidence): string[] {
  const sent = new Map<string, Set<string>>();
  const faults: string[] = [];
  let at = 0;
  for (const { poll, total, readAt } of reads.toSorted((a, b) => a.readAt - b.readAt)) {
    for (; at < readAt; at += 1) {
      const entry = history[at];
      if (entry?.kind === 'sent') setOf(sent, entry.poll).add(toBallotName(entry));
    }
    const most = setOf(sent, poll).size;
    if (total > most) faults.push(`I6: ${total} ballots were read of ${poll}, of which ${most} were sent.`);
  }
  return faults;
}

function setOf(sets: Map<string, Set<string>>, name: string): Set<string> {
  const set = sets.get(name) ?? new Set();
  sets.set(name, set);
  return set;
}

/** I7: on one connection versions grow and counts do not fall; one that lived on ends with what the ledger has. */
function checkFollowed({ ledger, followed }: Evidence): string[] {
  const counted = Map.groupBy(
    ledger.filter((row) => row.counted),
    ({ poll }) => poll,
  );
  return followed.flatMap(({ poll, frames, isWhole }) => {
    const faults: string[] = [];
    const falls = frames.some(({ version, total }, index) => {
      const before = frames[index - 1];
      return before !== undefined && (version <= before.version || total < before.total);
    });
    if (falls) faults.push(`I7: what a connection was sent of ${poll} went back.`);
    const last = frames.at(-1)?.total ?? 0;
    const most = counted.get(poll)?.length ?? 0;
    if (isWhole && last !== most)
      faults.push(`I7: a connection was left with ${last} ballots of ${poll}, not ${most}.`);
    return faults;
  });
}

/** I8: one key has one receipt, byte for byte, and after all restarts it is still to be had. */
function checkReceipts(acknowledged: readonly Operation[], { acknowledges }: Evidence): string[] {
  const faults: string[] = [];
  // The contract `party` tells the time of each acceptance.
  const toText = ({ door, text, receipt }: Operation): string | null =>
    acknowledges === 'acceptance' && door === 'party' ? (receipt?.ballotId ?? null) : text;
  for (const [name, operations] of Map.groupBy(acknowledged, toBallotName)) {
    const texts = new Set(operations.map(toText));
    if (texts.size !== 1) faults.push(`I8: ${texts.size} receipts for ${name}.`);
    if (!operations.some(({ final }) => final)) faults.push(`I8: the receipt of ${name} was not to be had again.`);
  }
  return faults;
}

/** I13: every ballot that a log has taken has its outcome at the end, and that is what its sender is told. */
function checkTold(acknowledged: readonly Operation[], { acknowledges, ledger, refusals, told }: Evidence): string[] {
  if (acknowledges === 'outcome') return [];
  const outcomes = new Map([
    ...ledger.map(({ ballotId, counted }) => [ballotId, counted ? 'counted' : 'superseded'] as const),
    ...refusals.map(({ ballotId }) => [ballotId, 'failed'] as const),
  ]);
  const statuses = new Map(told.map(({ ballotId, status }) => [ballotId, status]));
  const ids = new Set(acknowledged.flatMap(({ receipt }) => (receipt === null ? [] : [receipt.ballotId])));
  return [...ids].flatMap((ballotId) => {
    const [status, outcome] = [statuses.get(ballotId), outcomes.get(ballotId)];
    return outcome !== undefined && status === outcome
      ? []
      : [`I13: the ballot ${ballotId} is told to be ${status ?? 'nowhere'}, and is ${outcome ?? 'nowhere'}.`];
  });
}

/** I14: each fault struck requests that were under way, and there is something to check. */
function checkNotEmpty(acknowledged: readonly Operation[], evidence: Evidence): string[] {
  const { faults, faultsMin, acknowledgedMin } = evidence;
  const idle = faults.filter(({ underWay }) => underWay === 0);
  return [
    ...idle.map(({ kind }) => `I14: ${kind} struck while nothing was under way.`),
    ...(faults.length < faultsMin ? [`I14: only ${faults.length} faults struck.`] : []),
    ...(acknowledged.length < acknowledgedMin ? [`I14: only ${acknowledged.length} ballots were acknowledged.`] : []),
  ];
}

function toBallotName({ poll, user, key }: { poll: string; user: string | null; key: string | null }): string {
  return `${poll} ${user ?? '-'} ${key ?? '-'}`;
}

function toVoterName({ poll, user }: { poll: string; user: string | null }): string {
  return `${poll} ${user ?? ''}`;
}

/** Texts that sort as the ballots were accepted. */
function toOrder({ acceptedUs, ballotId }: LedgerRow): string {
  return acceptedUs === null ? ballotId : `${String(acceptedUs).padStart(microsecondDigits, '0')} ${ballotId}`;
}

const microsecondDigits = 17;
