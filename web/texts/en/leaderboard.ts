export const leaderboard = {
  title: 'Leaderboard',
  description: 'The leading options of all open votes.',
  lead: 'The leading options of all open votes.',
  all: 'All time',
  lastTenMinutes: 'Last 10 minutes',
  windows: 'Period',
  rank: 'Rank',
  option: 'Option',
  poll: 'Vote',
  votes: 'Votes',
  empty: 'No vote is open that shows its results.',
  create: 'Create one',
} as const;
