import type { Catalogue } from '../en.ts';

export const manage: Catalogue['manage'] = {
  title: 'Verwalten',
};
