import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { BallotStatus } from '../../protocol/ballot.ts';
import { followBallot, toAskPauseMs, type BallotOutcome } from './ballot-outcome.ts';

const ballot: BallotStatus = { ballotId: 'b', pollId: null, castAt: null, status: 'received', processing: 'received' };
const counted: BallotStatus = { ...ballot, status: 'counted', processing: 'processed' };
const longMs = 60_000;

/** What a browser has, as far as asking needs it. */
let page: EventTarget & { hidden: boolean };
let answers: (BallotStatus | Error)[];
const ask = vi.fn(() => {
  const answer = answers.shift() ?? ballot;
  return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(Response.json(answer));
});

beforeEach(() => {
  vi.useFakeTimers();
  page = Object.assign(new EventTarget(), { hidden: false });
  answers = [];
  ask.mockClear();
  vi.stubGlobal('document', page);
  vi.stubGlobal('fetch', ask);
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
  vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page));
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** The outcomes that a page hears of. */
function follow(): { outcomes: BallotOutcome[]; stop: () => void } {
  const outcomes: BallotOutcome[] = [];
  return { outcomes, stop: followBallot('b', (outcome) => outcomes.push(outcome)) };
}

test('an outcome is told once, whatever was answered before it, and then nothing more is asked', async () => {
  answers = [ballot, new Error('no network'), { ...ballot, status: 'validating', processing: 'validating' }, counted];
  const { outcomes } = follow();
  await vi.advanceTimersByTimeAsync(longMs);
  expect(outcomes).toEqual([counted]);
  expect(ask).toHaveBeenCalledTimes(4);
  page.dispatchEvent(new Event('online'));
  await vi.advanceTimersByTimeAsync(longMs);
  expect(ask).toHaveBeenCalledTimes(4);
});

test('a page that nobody looks at asks for nothing, and asks at once when somebody does', async () => {
  page.hidden = true;
  const { outcomes } = follow();
  await vi.advanceTimersByTimeAsync(longMs);
  expect(ask).not.toHaveBeenCalled();
  answers = [counted];
  page.hidden = false;
  page.dispatchEvent(new Event('visibilitychange'));
  await vi.advanceTimersByTimeAsync(0);
  expect(outcomes).toEqual([counted]);
});

test('a page that is back online asks at once, and a page that has left hears nothing', async () => {
  const { outcomes, stop } = follow();
  await vi.advanceTimersByTimeAsync(longMs);
  const before = ask.mock.calls.length;
  page.dispatchEvent(new Event('online'));
  expect(ask).toHaveBeenCalledTimes(before + 1);
  stop();
  answers = [counted];
  await vi.advanceTimersByTimeAsync(longMs);
  expect(ask).toHaveBeenCalledTimes(before + 1);
  expect(outcomes).toEqual([]);
});

test('whoever asks for an outcome asks soon, then less and less often, and never rarely', () => {
  const random = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100_000 }), random, (asks, drawn) => {
      expect(toAskPauseMs(asks, drawn)).toBeGreaterThanOrEqual(250);
      expect(toAskPauseMs(asks, drawn)).toBeLessThanOrEqual(10_000);
      expect(toAskPauseMs(asks + 1, drawn)).toBeGreaterThanOrEqual(toAskPauseMs(asks, drawn));
    }),
  );
  expect(toAskPauseMs(0, 1)).toBeLessThanOrEqual(500);
});
