/**
 * What one audience of one poll is sent. A topic remembers what it has sent last, and at each tick compares that with the poll
 * and its tally as they stand: no work is done per ballot, and none per subscriber but the sending itself.
 */
import type { HiddenFrame, PollFrame, PulseFrame, SnapshotFrame, TallyFrame } from '../../protocol/live.ts';
import type { PollTally } from '../board/tally-board.ts';
import { toPollView, toTallyView } from '../board/views.ts';
import type { Poll } from '../poll/poll.ts';
import type { PollStatus } from '../poll/schedule.ts';
import { createFrame, type Frame } from './frame.ts';

/** A poll as the audience may see it at one moment. `tally` is null where the results are hidden from it. */
export type Sight = {
  readonly poll: Poll;
  readonly status: PollStatus;
  readonly tally: PollTally | null;
  readonly online: number;
};

/** A change that subscribers must hear of. `version`: that of the tally in the frame; null where there is none. */
export type Change = {
  readonly kind: 'sight' | 'poll' | 'tally' | 'pulse';
  readonly frame: Frame;
  readonly version: number | null;
};

export type PollTopic = {
  /** Everything that has changed since the last call. `pulsing`: whether small changes may be told now. */
  advance(sight: Sight, pulsing: boolean): Change[];
  /** What a new subscriber begins with. */
  begin(sight: Sight): Change;
};

type Told = { revision: number; status: PollStatus; version: number | null; pulse: string };

export function createPollTopic(epoch: string, first: Sight): PollTopic {
  let told: Told = toTold(first);
  let kept: { readonly key: string; readonly change: Change } | null = null;

  function toBeginning(sight: Sight): Change {
    const { poll, status, tally } = sight;
    const terms = toPollView(poll, status);
    const eventId = toEventId(epoch, sight);
    if (tally === null) {
      const hidden: HiddenFrame = { type: 'hidden', poll: poll.id, epoch, status, terms };
      return { kind: 'sight', frame: createFrame(hidden, eventId), version: null };
    }
    const { pollId, ...counts } = toTallyView(poll, status, tally, epoch);
    const snapshot: SnapshotFrame = { type: 'snapshot', poll: pollId, ...counts, terms, online: sight.online };
    return { kind: 'sight', frame: createFrame(snapshot, eventId), version: tally.version };
  }

  function begin(sight: Sight): Change {
    // A crowd that comes at once shares one frame.
    const key = `${sight.poll.revision} ${sight.status} ${sight.tally?.version} ${sight.tally?.lastTenMinutes}`;
    if (kept?.key !== key) kept = { key, change: toBeginning(sight) };
    return kept.change;
  }

  return {
    begin,
    advance(sight, pulsing) {
      const { poll, status, tally } = sight;
      const before = told;
      if ((tally === null) !== (before.version === null)) {
        told = toTold(sight);
        return [begin(sight)];
      }
      const changes: Change[] = [];
      if (poll.revision !== before.revision || status !== before.status) changes.push(toPollChange(sight, epoch));
      // A board that is being built anew may stand lower for a moment: subscribers wait until it is ahead again.
      if (tally !== null && before.version !== null && tally.version > before.version) {
        changes.push(toTallyChange(sight, tally, epoch));
      } else if (pulsing && tally !== null && toPulse(sight) !== before.pulse) {
        changes.push(toPulseChange(sight, tally));
      }
      if (changes.length > 0)
        told = { ...toTold(sight), version: tally === null ? null : Math.max(tally.version, before.version ?? 0) };
      return changes;
    },
  };
}

function toTold(sight: Sight): Told {
  return {
    revision: sight.poll.revision,
    status: sight.status,
    version: sight.tally?.version ?? null,
    pulse: toPulse(sight),
  };
}

/** What changes without a ballot, as one text to compare. */
function toPulse({ tally, online }: Sight): string {
  return tally === null ? '' : `${tally.lastTenMinutes} ${tally.votesPerSecond} ${online}`;
}

/** Where a reader stands, for `Last-Event-ID`. */
export function toEventId(epoch: string, { poll, status, tally }: Sight): string {
  return `${epoch}-${tally === null ? 'hidden' : tally.version}-${poll.revision}-${status}`;
}

function toPollChange(sight: Sight, epoch: string): Change {
  const { poll, status } = sight;
  const frame: PollFrame = { type: 'poll', poll: poll.id, status, terms: toPollView(poll, status) };
  return { kind: 'poll', frame: createFrame(frame, toEventId(epoch, sight)), version: null };
}

function toTallyChange(sight: Sight, tally: PollTally, epoch: string): Change {
  const { pollId, ...counts } = toTallyView(sight.poll, sight.status, tally, epoch);
  const frame: TallyFrame = { type: 'tally', poll: pollId, ...counts };
  return { kind: 'tally', frame: createFrame(frame, toEventId(epoch, sight)), version: tally.version };
}

function toPulseChange({ poll, online }: Sight, tally: PollTally): Change {
  const frame: PulseFrame = {
    type: 'pulse',
    poll: poll.id,
    lastTenMinutes: tally.lastTenMinutes,
    counts: poll.options.map(({ id, optionNo }) => ({
      optionId: id,
      lastTenMinutes: tally.lastTenMinutesOf(optionNo),
    })),
    votesPerSecond: tally.votesPerSecond,
    online,
  };
  return { kind: 'pulse', frame: createFrame(frame), version: null };
}
