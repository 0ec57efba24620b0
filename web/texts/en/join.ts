export const join = {
  title: 'Join a vote',
  description: 'Type the code from the screen to vote.',
  lead: 'Type the code that you see on the screen.',
  code: 'Code',
  hint: 'Six letters and digits. Case, spaces and dashes do not matter.',
  go: 'Join',
  unknown: 'There is no vote with the code {code}. Look again: it has no 0, O, 1, I or L.',
} as const;
