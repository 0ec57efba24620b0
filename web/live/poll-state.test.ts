import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ServerFrame } from '../../protocol/live.ts';
import type { Poll } from '../../protocol/poll.ts';
import { applyFrame, type PollState } from './poll-state.ts';

const poll: Poll = {
  id: 'p',
  slug: 'p',
  joinCode: 'ABCDEF',
  question: 'Tea or coffee?',
  description: null,
  options: [
    { id: '1', text: 'Tea', description: null },
    { id: '2', text: 'Coffee', description: null },
  ],
  status: 'open',
  electorate: 'cookie',
  electorateSize: null,
  revote: 'refuse',
  visibility: 'always',
  selections: { min: 1, max: 1 },
  listed: true,
  layout: 'ballot',
  color: null,
  hasLogo: false,
  embedParents: [],
  opensAt: null,
  closesAt: null,
  createdAt: '2030-01-01T00:00:00Z',
  revision: 1,
};
const start: PollState = { poll, tally: null, online: null };

function tallyAt(version: number, epoch = 'e'): Extract<ServerFrame, { type: 'tally' }> {
  const counts = [
    { optionId: '1', votes: version, lastTenMinutes: version },
    { optionId: '2', votes: 0, lastTenMinutes: 0 },
  ];
  const rates = { turnout: null, lastTenMinutes: version, votesPerSecond: 0 };
  return { type: 'tally', poll: 'p', epoch, version, total: version, counts, status: 'open', ...rates };
}

test('however frames are shuffled and repeated, the total that is shown never goes down and ends at the newest', () => {
  const frames = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 80 });
  fc.assert(
    fc.property(frames, (versions) => {
      let state = start;
      let shown = 0;
      for (const version of versions) {
        state = applyFrame(state, tallyAt(version));
        expect(state.tally?.total).toBeGreaterThanOrEqual(shown);
        shown = state.tally?.total ?? 0;
      }
      expect(shown).toBe(Math.max(...versions));
    }),
    { numRuns: 200 },
  );
});

test('a ledger that began anew is believed, whatever its version', () => {
  const state = applyFrame(applyFrame(start, tallyAt(9)), tallyAt(2, 'another'));
  expect(state.tally?.total).toBe(2);
});

test('frames of another poll change nothing', () => {
  expect(applyFrame(start, { ...tallyAt(3), poll: 'q' })).toBe(start);
});

test('a poll that closed does not open again by a late frame, and does by a reopening', () => {
  const closed: Poll = { ...poll, status: 'closed' };
  const state = applyFrame(start, { type: 'poll', poll: 'p', status: 'closed', terms: closed });
  expect(applyFrame(state, { type: 'poll', poll: 'p', status: 'open', terms: poll }).poll.status).toBe('closed');
  const reopened: Poll = { ...poll, revision: 2 };
  expect(applyFrame(state, { type: 'poll', poll: 'p', status: 'open', terms: reopened }).poll.status).toBe('open');
});

test('results that become hidden are gone', () => {
  const state = applyFrame(applyFrame(start, tallyAt(4)), {
    type: 'hidden',
    poll: 'p',
    epoch: 'e',
    status: 'open',
    terms: { ...poll, visibility: 'manager', revision: 2 },
  });
  expect(state.tally).toBeNull();
});

test('a pulse lets votes age without touching the total', () => {
  const state = applyFrame(applyFrame(start, tallyAt(4)), {
    type: 'pulse',
    poll: 'p',
    lastTenMinutes: 1,
    counts: [{ optionId: '1', lastTenMinutes: 1 }],
    votesPerSecond: 0,
    online: 7,
  });
  expect(state).toMatchObject({
    online: 7,
    tally: { total: 4, lastTenMinutes: 1, counts: [{ lastTenMinutes: 1 }, {}] },
  });
});
