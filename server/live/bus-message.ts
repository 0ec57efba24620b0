/**
 * Deltas as texts that fit the bus. Those of one slot that follow each other go together: each for itself where that is short, so that a reader of
 * the ledger who has some of them already can take in the others; else made into one, and long ones cut into parts.
 */
import type { TallyChange, TallyDelta } from '../tally/tally-change.ts';

/** PostgreSQL takes payloads shorter than 8,000 bytes. All that is sent here is ASCII. */
const partCharsMax = 7_900;
const partsMax = 64;
/** Of deltas that go each for themselves. */
const apartChangesMax = 250;

/** Deltas of one slot, each beginning where the one before ends, as one. */
export function mergeDeltas(deltas: readonly [TallyDelta, ...TallyDelta[]]): TallyDelta {
  const sums = new Map<string, TallyChange>();
  for (const change of deltas.flatMap(({ changes }) => changes)) {
    const key = `${change.pollNo} ${change.optionNo} ${change.second}`;
    const sum = sums.get(key);
    sums.set(
      key,
      sum === undefined
        ? change
        : {
            ...change,
            votes: sum.votes + change.votes,
            ballots: sum.ballots + change.ballots,
            changes: sum.changes + change.changes,
          },
    );
  }
  const batchCount = deltas.reduce((sum, delta) => sum + (delta.batchCount ?? 1), 0);
  const { slot, batchNo } = deltas.at(-1) ?? deltas[0];
  return { slot, batchNo, batchCount, changes: [...sums.values()] };
}

export type Sender = { readonly processId: string; readonly messageNo: number };

/** The payloads that carry these deltas of one slot, in their order; where they are too long, a single one that says so. */
export function toPayloads({ processId, messageNo }: Sender, deltas: readonly [TallyDelta, ...TallyDelta[]]): string[] {
  const head = (partNo: number, partCount: number): string => `${processId} ${messageNo} ${partNo} ${partCount} `;
  const bodyCharsMax = partCharsMax - head(partsMax, partsMax).length;
  const text = toApartText(deltas, bodyCharsMax) ?? toText(mergeDeltas(deltas));
  const partCount = Math.ceil(text.length / bodyCharsMax);
  if (partCount > partsMax) return [head(0, 0)];
  return Array.from(
    { length: partCount },
    (_, index) => head(index + 1, partCount) + text.slice(index * bodyCharsMax, (index + 1) * bodyCharsMax),
  );
}

export type Received =
  | { readonly kind: 'deltas'; readonly deltas: readonly TallyDelta[] }
  | { readonly kind: 'too_much' }
  | null;

/** Puts payloads together again. Answers null for a part, for a message of one's own, and for one whose beginning was missed. */
export function createReceiver(ownProcessId: string): (payload: string) => Received {
  const open = new Map<string, { messageNo: string; nextPart: number; text: string }>();
  return (payload) => {
    const [, processId = '', messageNo = '', part = '', parts = '', text = ''] =
      /^(\S+) (\d+) (\d+) (\d+) (.*)$/su.exec(payload) ?? [];
    if (processId === '' || processId === ownProcessId) return null;
    if (parts === '0') return { kind: 'too_much' };
    const before = open.get(processId);
    const isNext = before?.messageNo === messageNo && before.nextPart === Number(part);
    open.delete(processId);
    if (part !== '1' && !isNext) return null;
    const gathered = (isNext ? (before?.text ?? '') : '') + text;
    if (part === parts) return { kind: 'deltas', deltas: gathered.split('|').map(parseText) };
    open.set(processId, { messageNo, nextPart: Number(part) + 1, text: gathered });
    return null;
  };
}

/** null where that is too long for one payload. */
function toApartText(deltas: readonly TallyDelta[], charsMax: number): string | null {
  if (deltas.reduce((sum, { changes }) => sum + changes.length, 0) > apartChangesMax) return null;
  const text = deltas.map(toText).join('|');
  return text.length > charsMax ? null : text;
}

/** Six numbers a change, without the names: a batch of many polls is long enough. */
function toText({ slot, batchNo, batchCount = 1, changes }: TallyDelta): string {
  const rows = changes.map((change) =>
    [change.pollNo, change.optionNo, change.second, change.votes, change.ballots, change.changes].join(','),
  );
  return [`${slot},${batchNo},${batchCount}`, ...rows].join(';');
}

function parseText(text: string): TallyDelta {
  const [[slot = 0, batchNo = 0, batchCount = 1] = [], ...rows] = text
    .split(';')
    .map((row) => row.split(',').map(Number));
  const changes = rows.map(([pollNo = 0, optionNo = 0, second = 0, votes = 0, ballots = 0, changeCount = 0]) => ({
    pollNo,
    optionNo,
    second,
    votes,
    ballots,
    changes: changeCount,
  }));
  return { slot, batchNo, batchCount, changes };
}
