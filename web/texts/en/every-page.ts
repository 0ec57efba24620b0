/** What several pages say. */

export const common = {
  product: 'Hustings',
  skipToContent: 'Skip to the content',
  navigation: 'Navigation',
  leaderboard: 'Leaderboard',
  joinWithCode: 'Join with a code',
  vote: 'Vote',
  results: 'Results',
  status: {
    draft: 'Not open yet',
    open: 'Open',
    opensIn: 'Opens in {time}',
    closesIn: 'Open · closes in {time}',
    paused: 'Paused',
    closing: 'Counting the last ballots',
    closed: 'Closed',
  },
  live: {
    updated: 'live, updated {seconds} s ago',
    stale: 'Reconnecting … figures from {time}',
    asOf: 'figures from {time}',
  },
  share: {
    title: 'Join',
    qr: 'QR code that leads to {url}',
    copy: 'Copy the link',
    copied: 'Copied',
  },
  ballots: { one: '{count} ballot', other: '{count} ballots' },
  votes: { one: '{count} vote', other: '{count} votes' },
} as const;
