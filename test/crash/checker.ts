/**
 * Compares what clients saw with what the ledger holds. It imports nothing from the server: its view of the rules is its own.
 * The invariants carry the numbers of the project's promises (I1 to I5, I8, I14).
 */

/** One request as its client saw it. `unknown`: no answer, or one that leaves the outcome open. */
export type Operation = {
  readonly poll: string;
  readonly policy: 'open' | 'refuse' | 'replace';
  readonly user: string;
  readonly key: string;
  readonly option: string;
  readonly outcome: 'ok' | 'fail' | 'unknown';
  /** The body of the answer, where it was a receipt. */
  readonly receipt: string | null;
};

/** One row of the ledger; `counted` is false for a ballot that was superseded. */
export type LedgerRow = {
  readonly ballotId: string;
  readonly poll: string;
  readonly voterKey: string;
  readonly option: string;
  readonly castAt: string;
  readonly counted: boolean;
};

/** Counts of one poll by option, as one surface shows them. */
export type Surface = {
  readonly name: string;
  readonly poll: string;
  readonly counts: Readonly<Record<string, number>>;
};

export type Evidence = {
  readonly operations: readonly Operation[];
  readonly ledger: readonly LedgerRow[];
  readonly surfaces: readonly Surface[];
  /** For each fault, how many requests were under way when it struck. */
  readonly faults: readonly number[];
  readonly acknowledgedMin: number;
};

/** The violated invariants, one sentence each. */
export function check(evidence: Evidence): string[] {
  const acknowledged = evidence.operations.filter(({ outcome }) => outcome === 'ok');
  return [
    ...checkAcknowledged(acknowledged, evidence.ledger),
    ...checkOrigins(evidence.operations, evidence.ledger),
    ...checkRefused(evidence.operations, evidence.ledger),
    ...checkOnePerVoter(evidence.ledger),
    ...checkSurfaces(evidence.ledger, evidence.surfaces),
    ...checkReceipts(acknowledged),
    ...checkNotEmpty(acknowledged, evidence),
  ];
}

function checkAcknowledged(acknowledged: readonly Operation[], ledger: readonly LedgerRow[]): string[] {
  const rows = Map.groupBy(ledger, ({ ballotId }) => ballotId);
  return acknowledged.flatMap((operation) => {
    const { ballotId, castAt } = parseReceipt(operation);
    const found = rows.get(ballotId) ?? [];
    const [row] = found;
    if (row === undefined || found.length !== 1)
      return [`I1: the ledger has ${found.length} rows for receipt ${ballotId}.`];
    const fits = row.poll === operation.poll && row.option === operation.option && row.castAt === castAt;
    return fits ? [] : [`I1: the row of receipt ${ballotId} is not what was cast.`];
  });
}

/** Without knowing voters by name, a row must at least be some operation's poll and option, and no more rows than operations. */
function checkOrigins(operations: readonly Operation[], ledger: readonly LedgerRow[]): string[] {
  const sent = countBy(new Map([...operations].map((each) => [`${each.poll} ${each.key}`, each])).values());
  const faults: string[] = [];
  for (const [place, count] of countBy(ledger)) {
    const sentCount = sent.get(place) ?? 0;
    if (count > sentCount) faults.push(`I2: ${count} rows for ${place}, but only ${sentCount} were sent.`);
  }
  return faults;
}

function checkRefused(operations: readonly Operation[], ledger: readonly LedgerRow[]): string[] {
  const rows = new Set(ledger.map(({ ballotId }) => ballotId));
  return operations
    .filter(({ outcome, receipt }) => outcome === 'fail' && receipt !== null)
    .filter((operation) => rows.has(parseReceipt(operation).ballotId))
    .map(({ key }) => `I3: the refused ballot with key ${key} is in the ledger.`);
}

function checkOnePerVoter(ledger: readonly LedgerRow[]): string[] {
  const faults: string[] = [];
  for (const [voter, rows] of Map.groupBy(ledger, ({ poll, voterKey }) => `${poll} ${voterKey}`)) {
    const counted = rows.filter((row) => row.counted);
    if (counted.length !== 1) faults.push(`I4: ${counted.length} counted ballots for ${voter}.`);
    const last = rows.toSorted((a, b) => (a.ballotId < b.ballotId ? -1 : 1)).at(-1);
    if (last?.counted === false) faults.push(`I4: not the last accepted ballot counts for ${voter}.`);
  }
  return faults;
}

function checkSurfaces(ledger: readonly LedgerRow[], surfaces: readonly Surface[]): string[] {
  const counted = countBy(ledger.filter((row) => row.counted));
  return surfaces.flatMap(({ name, poll, counts }) =>
    Object.entries(counts)
      .filter(([option, votes]) => (counted.get(`${poll} ${option}`) ?? 0) !== votes)
      .map(
        ([option, votes]) =>
          `I5: ${name} shows ${votes} for ${poll} ${option}, the ledger has ${counted.get(`${poll} ${option}`) ?? 0}.`,
      ),
  );
}

function checkReceipts(acknowledged: readonly Operation[]): string[] {
  const faults: string[] = [];
  for (const [key, operations] of Map.groupBy(acknowledged, (each) => `${each.poll} ${each.user} ${each.key}`)) {
    const receipts = new Set(operations.map(({ receipt }) => receipt));
    if (receipts.size !== 1) faults.push(`I8: ${receipts.size} receipts for ${key}.`);
  }
  return faults;
}

function checkNotEmpty(acknowledged: readonly Operation[], { faults, acknowledgedMin }: Evidence): string[] {
  const idle = faults.filter((underWay) => underWay === 0).length;
  return [
    ...(idle > 0 ? [`I14: ${idle} faults struck while nothing was under way.`] : []),
    ...(acknowledged.length < acknowledgedMin ? [`I14: only ${acknowledged.length} ballots were acknowledged.`] : []),
  ];
}

function countBy(rows: Iterable<{ readonly poll: string; readonly option: string }>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { poll, option } of rows) counts.set(`${poll} ${option}`, (counts.get(`${poll} ${option}`) ?? 0) + 1);
  return counts;
}

function parseReceipt({ receipt }: Operation): { ballotId: string; castAt: string } {
  return JSON.parse(receipt ?? '{}') as { ballotId: string; castAt: string }; // A body that the client took for a receipt.
}
