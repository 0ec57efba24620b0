import type { Catalogue } from '../en.ts';

export const home: Catalogue['home'] = {
  title: 'Fragen. Abstimmen. Genau zählen.',
};
