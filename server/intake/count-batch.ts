/** What a recorded batch adds to the tallies, worked out from its ballots and the ledger's verdicts on them. */
import type { BatchRecorded } from '../ledger/ballot-lane.ts';
import { castAtOf, parseSelectionsText } from '../poll/ballot.ts';
import { createChangeSums, type TallyDelta } from '../tally/tally-change.ts';
import type { Waiting } from './batch.ts';

export function countBatch(batch: readonly Waiting[], recorded: BatchRecorded): TallyDelta {
  const sums = createChangeSums();
  for (const [index, { ballot }] of batch.entries()) {
    const { pollNo } = ballot.poll;
    const verdict = recorded.verdicts.get(index);
    const castAt = castAtOf(ballot, recorded.castAt);
    if (verdict === undefined) {
      sums.add(pollNo, ballot.selections, castAt, 'counted');
    } else if (verdict.kind === 'supersedes') {
      sums.add(pollNo, ballot.selections, castAt, 'supersedes');
      sums.add(pollNo, parseSelectionsText(verdict.selections), verdict.castAt, 'superseded');
    }
  }
  return { slot: recorded.slot, batchNo: recorded.batchNo, changes: sums.toChanges() };
}
