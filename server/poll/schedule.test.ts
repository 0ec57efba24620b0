import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Schedule } from './poll.ts';
import {
  closePoll,
  extendPoll,
  openPoll,
  pausePoll,
  pollStatusAt,
  reopenPoll,
  type PollStatus,
  type Step,
} from './schedule.ts';

const draft: Schedule = { opensAt: null, closesAt: null, pausedAt: null };
const open: Schedule = { ...draft, opensAt: 100 };
const timed: Schedule = { ...open, closesAt: 200 };

test.for<[schedule: Schedule, now: number, status: PollStatus]>([
  [draft, 100, 'draft'],
  [open, 99, 'draft'],
  [open, 100, 'open'],
  [timed, 199, 'open'],
  [timed, 200, 'closed'],
  [{ ...open, pausedAt: 150 }, 150, 'paused'],
  [{ ...timed, pausedAt: 150 }, 200, 'closed'],
])('%j at %d is %s', ([schedule, now, status]) => {
  expect(pollStatusAt(schedule, now)).toBe(status);
});

test('a poll is closing until everything accepted before its close is recorded', () => {
  expect(pollStatusAt(timed, 250, 199)).toBe('closing');
  expect(pollStatusAt(timed, 250, 200)).toBe('closed');
  expect(pollStatusAt(timed, 199, 150)).toBe('open');
});

const scheduleOf = (step: Step): Schedule | string => ('refused' in step ? step.refused : step.schedule);

test('opening ends a draft or a pause, and nothing else', () => {
  expect(scheduleOf(openPoll(draft, 50))).toEqual({ ...draft, opensAt: 50 });
  expect(scheduleOf(openPoll(timed, 50))).toEqual({ ...timed, opensAt: 50 });
  expect(scheduleOf(openPoll({ ...timed, pausedAt: 150 }, 160))).toEqual(timed);
  expect(scheduleOf(openPoll(open, 150))).toBe('The poll is open already.');
  expect(scheduleOf(openPoll(timed, 200))).toBe('The poll is closed. Reopen it instead.');
});

test('only an open poll is paused', () => {
  expect(scheduleOf(pausePoll(open, 150))).toEqual({ ...open, pausedAt: 150 });
  expect(scheduleOf(pausePoll(draft, 150))).toContain('this one is draft');
  expect(scheduleOf(pausePoll({ ...open, pausedAt: 120 }, 150))).toContain('this one is paused');
  expect(scheduleOf(pausePoll(timed, 200))).toContain('this one is closed');
});

test('a poll closes once, from its first instant on', () => {
  expect(scheduleOf(closePoll(open, 100))).toEqual({ ...open, closesAt: 100 });
  expect(scheduleOf(closePoll({ ...timed, pausedAt: 150 }, 160))).toMatchObject({ closesAt: 160, pausedAt: 150 });
  expect(scheduleOf(closePoll(draft, 150))).toBe('The poll was never open.');
  expect(scheduleOf(closePoll(timed, 200))).toBe('The poll is closed already.');
});

test('a closing time is moved into the future only, and never after the close', () => {
  expect(scheduleOf(extendPoll(timed, 150, 151))).toEqual({ ...timed, closesAt: 151 });
  expect(scheduleOf(extendPoll(timed, 150, null))).toEqual(open);
  expect(scheduleOf(extendPoll(timed, 150, 150))).toContain('must lie in the future');
  expect(scheduleOf(extendPoll(open, 50, 100))).toContain('after the opening time');
  expect(scheduleOf(extendPoll(timed, 200, 300))).toBe('The poll is closed. Reopen it instead.');
});

test('a reopening ends a pause as well, and takes a closed poll', () => {
  expect(scheduleOf(reopenPoll({ ...timed, pausedAt: 150 }, 250, null))).toEqual(open);
  expect(scheduleOf(reopenPoll(timed, 250, 300))).toEqual({ ...timed, closesAt: 300 });
  expect(scheduleOf(reopenPoll(timed, 250, 250))).toContain('must lie in the future');
  expect(scheduleOf(reopenPoll(timed, 150, null))).toContain('this one is open');
});

type Move = { after: number; kind: 'open' | 'pause' | 'close' | 'extend' | 'reopen'; closesIn: number | null };

const move: fc.Arbitrary<Move> = fc.record({
  after: fc.nat({ max: 20 }),
  kind: fc.constantFrom('open', 'pause', 'close', 'extend', 'reopen'),
  closesIn: fc.option(fc.integer({ min: -5, max: 30 })),
});

function take(schedule: Schedule, now: number, { kind, closesIn }: Move): Step {
  const closesAt = closesIn === null ? null : now + closesIn;
  if (kind === 'open') return openPoll(schedule, now);
  if (kind === 'pause') return pausePoll(schedule, now);
  if (kind === 'close') return closePoll(schedule, now);
  return kind === 'extend' ? extendPoll(schedule, now, closesAt) : reopenPoll(schedule, now, closesAt);
}

const reached: Readonly<Record<Move['kind'], readonly PollStatus[]>> = {
  open: ['open'],
  pause: ['paused'],
  close: ['closed'],
  extend: ['draft', 'open', 'paused'],
  reopen: ['open'],
};

/** Runs the moves on a poll that opened at once and calls back after each step that was taken. */
function walk(
  start: Schedule,
  moves: readonly Move[],
  onTaken: (schedule: Schedule, now: number, kind: Move['kind']) => void,
): void {
  let schedule = start;
  let now = 0;
  for (const each of moves) {
    now += each.after;
    const step = take(schedule, now, each);
    if ('refused' in step) {
      expect(step.refused).not.toBe('');
      continue;
    }
    schedule = step.schedule;
    onTaken(schedule, now, each.kind);
  }
}

test('after any steps a taken one leads to its state, and no poll closes before it opens', () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 30 }), (moves) => {
      walk({ ...draft, opensAt: 0 }, moves, (schedule, now, kind) => {
        expect(reached[kind]).toContain(pollStatusAt(schedule, now));
        expect(schedule.closesAt ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(schedule.opensAt ?? 0);
      });
    }),
    { numRuns: 200 },
  );
});

/** A draft keeps its closing time while it waits: opened after it, it would close before it opens. */
test('a draft whose closing time has passed is not opened before it gets another', () => {
  expect(openPoll({ ...draft, closesAt: 200 }, 250)).toHaveProperty('refused');
});
