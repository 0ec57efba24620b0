export const home = {
  title: 'Ask. Vote. Count exactly.',
} as const;
