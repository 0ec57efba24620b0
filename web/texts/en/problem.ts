export const problem = {
  code: 'Code',
  hint: 'Six letters and digits. Case, spaces and dashes do not matter.',
  go: 'Join',
  description: 'This page cannot be shown.',
  absent: 'There is nothing here',
  absentPoll: 'There is no such vote',
  absentHint:
    'The address may be mistyped, or the vote was deleted. If you have a code from the screen, it leads you there:',
  busy: 'Just a moment',
  busyHint: 'The server cannot show this page right now. Nothing is lost: reload it in a few seconds.',
  refused: 'This does not work',
  home: 'To the start page',
} as const;
