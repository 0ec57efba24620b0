export const receipt = {
  windowTitle: 'Receipt {code}',
  description: 'What became of a ballot.',
  counted: 'This ballot is counted',
  countedAt: 'It was counted on {time}.',
  superseded: 'A later vote counts in its place',
  supersededAt:
    'This ballot was accepted on {time}. Its voter has voted anew since, and the last vote is the one that counts.',
  unknown: 'No ballot has this receipt',
  unknownHint:
    'Compare it with what the page showed after your vote. A receipt has 32 letters and digits in five groups.',
  poll: 'Poll',
  receipt: 'Receipt',
  secret: 'A receipt says that a ballot is in the ledger, and never what was chosen on it.',
  results: 'See the results',
} as const;
