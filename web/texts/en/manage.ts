export const manage = {
  title: 'Manage',
} as const;
