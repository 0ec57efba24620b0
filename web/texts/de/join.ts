import type { Catalogue } from '../en.ts';

export const join: Catalogue['join'] = {
  title: 'An einer Abstimmung teilnehmen',
  description: 'Den Code von der Leinwand eingeben, um abzustimmen.',
  lead: 'Bitte den Code eingeben, der auf der Leinwand steht.',
  code: 'Code',
  hint: 'Sechs Buchstaben und Ziffern. Groß und klein, Leerzeichen und Striche sind egal.',
  go: 'Teilnehmen',
  unknown: 'Es gibt keine Abstimmung mit dem Code {code}. Er enthält weder 0, O, 1, I noch L.',
};
