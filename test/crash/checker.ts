/**
 * Compares what clients saw with what the ledger holds. It imports nothing from the server: its view of the rules is its own.
 * The invariants carry the numbers of the project's promises (I1 to I5, I8, I14).
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
  /** false for a ballot that was superseded. */
  readonly counted: boolean;
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
};

/** The violated invariants, one sentence each. */
export function check(evidence: Evidence): string[] {
  const operations = readOperations(evidence.history);
  const acknowledged = operations.filter(({ outcome }) => outcome === 'ok');
  return [
    ...checkAcknowledged(acknowledged, evidence.ledger),
    ...checkSent(operations, evidence.ledger),
    ...checkRefused(operations, evidence.ledger),
    ...checkOnePerVoter(evidence),
    ...checkOrder(acknowledged, evidence.ledger),
    ...checkSurfaces(evidence),
    ...checkReceipts(acknowledged),
    ...checkNotEmpty(acknowledged, evidence),
  ];
}

/** I1: exactly one row for each acknowledged ballot, and it is what was cast. */
function checkAcknowledged(acknowledged: readonly Operation[], ledger: readonly LedgerRow[]): string[] {
  const byId = Map.groupBy(ledger, ({ ballotId }) => ballotId);
  const byKey = Map.groupBy(ledger, toBallotName);
  return acknowledged.flatMap((operation) => {
    const { receipt } = operation;
    // A door that gives no receipt names the ballot by its key alone.
    const rows = (receipt === null ? byKey.get(toBallotName(operation)) : byId.get(receipt.ballotId)) ?? [];
    const [row] = rows;
    if (row === undefined || rows.length > 1) {
      return [`I1: the ledger has ${rows.length} rows for the acknowledged ballot ${toBallotName(operation)}.`];
    }
    const isSame = toBallotName(row) === toBallotName(operation) && row.option === operation.option;
    const isSameTime = receipt === null || row.castAt === receipt.castAt;
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

/** I3: a ballot that was refused each time it was sent is not in the ledger. */
function checkRefused(operations: readonly Operation[], ledger: readonly LedgerRow[]): string[] {
  const rows = new Set(ledger.map(toBallotName));
  return [...Map.groupBy(operations, toBallotName)]
    .filter(([name, attempts]) => rows.has(name) && attempts.every(({ outcome }) => outcome === 'fail'))
    .map(([name]) => `I3: the refused ballot ${name} is in the ledger.`);
}

/** I4: one counted ballot for each voter; where ballots replace each other, the last accepted one. */
function checkOnePerVoter({ ledger, polls }: Evidence): string[] {
  const policies = new Map(polls.map(({ poll, policy }) => [poll, policy]));
  const faults: string[] = [];
  const told = ledger.filter(({ poll }) => policies.get(poll) !== 'open');
  for (const [voter, rows] of Map.groupBy(told, ({ poll, user }) => `${poll} ${user ?? ''}`)) {
    const counted = rows.filter((row) => row.counted);
    if (counted.length !== 1) faults.push(`I4: ${counted.length} counted ballots for ${voter}.`);
    const isReplacing = policies.get(rows[0]?.poll ?? '') === 'replace';
    if (!isReplacing && rows.length > 1) faults.push(`I4: ${rows.length} accepted ballots for ${voter}.`);
    const last = rows.reduce((latest, row) => (row.ballotId > latest.ballotId ? row : latest));
    if (!last.counted) faults.push(`I4: not the last accepted ballot counts for ${voter}.`);
  }
  const uncounted = ledger.filter(({ poll, counted }) => policies.get(poll) === 'open' && !counted);
  return [...faults, ...uncounted.map((row) => `I4: the ballot ${toBallotName(row)} does not count.`)];
}

/** I4: a ballot that was sent after another one of its voter had been acknowledged was accepted after it. */
function checkOrder(acknowledged: readonly Operation[], ledger: readonly LedgerRow[]): string[] {
  const idOf = new Map(ledger.map((row) => [toBallotName(row), row.ballotId]));
  const faults: string[] = [];
  const voters = Map.groupBy(
    acknowledged.filter(({ policy }) => policy === 'replace'),
    ({ poll, user }) => `${poll} ${user ?? ''}`,
  );
  for (const [voter, operations] of voters) {
    const ballots = [...Map.groupBy(operations, toBallotName)].map(([name, attempts]) => ({
      ballotId: idOf.get(name) ?? '',
      sentAt: Math.min(...attempts.map(({ firstSentAt }) => firstSentAt)),
      endedAt: Math.min(...attempts.map(({ endedAt }) => endedAt)),
    }));
    const isWrong = ballots.some((earlier) =>
      ballots.some((later) => earlier.endedAt < later.sentAt && earlier.ballotId > later.ballotId),
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

/** I8: one key has one receipt, byte for byte, and after all restarts it is still to be had. */
function checkReceipts(acknowledged: readonly Operation[]): string[] {
  const faults: string[] = [];
  for (const [name, operations] of Map.groupBy(acknowledged, toBallotName)) {
    const texts = new Set(operations.map(({ text }) => text));
    if (texts.size !== 1) faults.push(`I8: ${texts.size} receipts for ${name}.`);
    if (!operations.some(({ final }) => final)) faults.push(`I8: the receipt of ${name} was not to be had again.`);
  }
  return faults;
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
