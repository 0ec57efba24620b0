import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PollTally } from '../board/tally-board.ts';
import { makePoll } from '../poll/test-support.ts';
import { createFollowedPoll } from './followed-poll.ts';
import type { Frame } from './frame.ts';
import type { Sight } from './poll-topic.ts';

const poll = makePoll();

function tallyAt(version: number): PollTally {
  const same = () => version;
  return {
    version,
    ballots: version,
    votesOf: same,
    lastTenMinutes: version,
    lastTenMinutesOf: same,
    votesPerSecond: 0,
  };
}

const sightAt = (version: number, change: Partial<Sight> = {}): Sight => ({
  poll,
  status: 'open',
  tally: tallyAt(version),
  online: 1,
  ...change,
});

/** A subscriber that can be full, and a poll that can be anything. */
function createSample(first: Sight) {
  let sight = first;
  let full = false;
  const frames: Frame[] = [];
  const followed = createFollowedPoll('epoch', () => sight);
  return {
    followed,
    frames,
    types: () => frames.map(({ type }) => type).join(' '),
    versions: () => frames.map(({ text }) => (JSON.parse(text) as { version?: number }).version),
    see(next: Sight, pulsing = false) {
      sight = next;
      followed.tick(pulsing);
    },
    setFull(value: boolean) {
      full = value;
    },
    join: (knownEventId: string | null = null) =>
      followed.join({ send: (frame) => frames.push(frame), full: () => full }, knownEventId),
  };
}

test('nothing is sent while nothing changes', () => {
  const sample = createSample(sightAt(3));
  sample.join();
  for (let tick = 0; tick < 5; tick += 1) sample.followed.tick(true);
  expect(sample.types()).toBe('snapshot');
});

test('a poll that was read again and is the same is no news', () => {
  const sample = createSample(sightAt(3));
  sample.join();
  sample.see(sightAt(3, { poll: { ...poll } }));
  expect(sample.types()).toBe('snapshot');
  sample.see(sightAt(3, { poll: { ...poll, revision: poll.revision + 1 } }));
  expect(sample.types()).toBe('snapshot poll');
});

test('a subscriber that is full misses frames and gets the latest of each kind when it has drained', () => {
  const sample = createSample(sightAt(1));
  sample.join();
  sample.setFull(true);
  for (const version of [2, 3, 4]) sample.see(sightAt(version));
  sample.see(sightAt(5, { status: 'closed' }));
  expect(sample.types()).toBe('snapshot');
  sample.setFull(false);
  sample.followed.tick(false);
  expect(sample.types()).toBe('snapshot poll tally');
  expect(sample.versions()).toEqual([1, undefined, 5]);
});

test('whoever comes between two ticks is not told twice', () => {
  const sample = createSample(sightAt(1));
  sample.join();
  const late = createSample(sightAt(1));
  late.join();
  sample.see(sightAt(2));
  expect(sample.versions()).toEqual([1, 2]);
  late.see(sightAt(2));
  const second: Frame[] = [];
  late.followed.join({ send: (frame) => second.push(frame), full: () => false }, null);
  late.followed.tick(false);
  expect(second.map(({ type }) => type)).toEqual(['snapshot']);
});

test('a board that stands lower for a moment is not shown', () => {
  const sample = createSample(sightAt(9));
  sample.join();
  sample.see(sightAt(4));
  sample.see(sightAt(9));
  sample.see(sightAt(10));
  expect(sample.versions()).toEqual([9, 10]);
});

test('votes that age are told once a second at most, and only then', () => {
  const sample = createSample(sightAt(9));
  sample.join();
  const aged = sightAt(9, { tally: { ...tallyAt(9), lastTenMinutes: 3 } });
  sample.see(aged, false);
  expect(sample.types()).toBe('snapshot');
  sample.see(aged, true);
  expect(sample.types()).toBe('snapshot pulse');
});

test('results that are hidden and shown again are told as such, and hold nothing meanwhile', () => {
  const sample = createSample(sightAt(5));
  sample.join();
  sample.see(sightAt(6, { tally: null }));
  sample.see(sightAt(7, { tally: null, online: 99 }), true);
  sample.see(sightAt(8));
  expect(sample.types()).toBe('snapshot hidden snapshot');
  expect(sample.versions()).toEqual([5, undefined, 8]);
});

test('whoever knows how things stand is told only what changes', () => {
  const sample = createSample(sightAt(5));
  sample.join('epoch-5-1-open');
  expect(sample.frames).toHaveLength(0);
  sample.see(sightAt(6));
  expect(sample.versions()).toEqual([6]);
});

test('whoever has left is told nothing, and leaves once', () => {
  const sample = createSample(sightAt(1));
  const leave = sample.join();
  expect([leave(), leave()]).toEqual([true, false]);
  sample.see(sightAt(2));
  expect(sample.types()).toBe('snapshot');
  expect(sample.followed.empty()).toBe(true);
});

test('however full and empty alternate, versions only grow and the last one arrives', () => {
  const step = fc.record({ full: fc.boolean(), grows: fc.nat({ max: 3 }), hidden: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const sample = createSample(sightAt(0));
      sample.join();
      let version = 0;
      for (const { full, grows, hidden } of steps) {
        version += grows;
        sample.setFull(full);
        sample.see(sightAt(version, hidden ? { tally: null } : {}));
      }
      sample.setFull(false);
      sample.see(sightAt(version + 1));
      sample.followed.tick(false);
      const shown = sample.versions().filter((each) => each !== undefined);
      expect(shown).toEqual(shown.toSorted((a, b) => a - b));
      expect(shown.at(-1)).toBe(version + 1);
    }),
    { numRuns: 200 },
  );
});
