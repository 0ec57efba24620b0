/** One poll and what happens to it, as the description of the API shows it. */

const pollId = '0198a1f2-7c3e-7b60-9d2a-5f0e6c1b4a77';
const ballotId = '0198a1f3-02d4-7c11-8e5b-9a4f3c2d1e00';

export const exampleNewPoll = { question: 'Tea or coffee?', options: ['Tea', 'Coffee'], electorate: 'declared' };

export const examplePoll = {
  id: pollId,
  slug: 'tea-or-coffee',
  joinCode: 'K7M4PX',
  question: 'Tea or coffee?',
  description: null,
  options: [
    { id: '1', text: 'Tea', description: null },
    { id: '2', text: 'Coffee', description: null },
  ],
  status: 'open',
  electorate: 'declared',
  electorateSize: null,
  revote: 'refuse',
  visibility: 'always',
  selections: { min: 1, max: 1 },
  listed: true,
  layout: 'ballot',
  color: null,
  hasLogo: false,
  embedParents: [],
  opensAt: '2030-03-30T18:00:00.000Z',
  closesAt: null,
  createdAt: '2030-03-30T18:00:00.000Z',
  revision: 1,
};

export const examplePollCreated = { ...examplePoll, manageKey: 'manage_c2VjcmV0LWJ1dC1leGFtcGxl' };

export const exampleBallot = { selections: ['1'], userId: 'alice' };

export const exampleReceipt = { ballotId, pollId, castAt: '2030-03-30T18:00:07.000Z', version: 1 };

export const exampleReceived = { ballotId, pollId, castAt: null, version: null, status: 'received' };

export const exampleBallotStatus = {
  ballotId,
  pollId,
  castAt: '2030-03-30T18:00:07.000Z',
  status: 'counted',
  processing: 'processed',
};

export const exampleTally = {
  pollId,
  epoch: '9f1c2d3e4b5a6978',
  status: 'open',
  version: 1,
  total: 1,
  turnout: null,
  counts: [
    { optionId: '1', votes: 1, lastTenMinutes: 1 },
    { optionId: '2', votes: 0, lastTenMinutes: 0 },
  ],
  lastTenMinutes: 1,
  votesPerSecond: 0.1,
};

export const exampleLeaderboard = {
  window: 'all',
  asOf: '2030-03-30T18:00:08.000Z',
  entries: [
    {
      pollId,
      pollSlug: 'tea-or-coffee',
      question: 'Tea or coffee?',
      optionId: '1',
      optionText: 'Tea',
      votes: 1,
    },
  ],
};

export const exampleSeries = {
  pollId,
  stepSeconds: 1,
  points: [{ at: '2030-03-30T18:00:07.000Z', votes: 1 }],
  peak: { at: '2030-03-30T18:00:07.000Z', votes: 1 },
};
