import type { Catalogue } from '../en.ts';

export const problem: Catalogue['problem'] = {
  code: 'Code',
  hint: 'Sechs Buchstaben und Ziffern. Groß und klein, Leerzeichen und Striche sind egal.',
  go: 'Teilnehmen',
  description: 'Diese Seite kann nicht gezeigt werden.',
  absent: 'Hier ist nichts',
  absentPoll: 'Diese Abstimmung gibt es nicht',
  absentHint:
    'Vielleicht ist die Adresse falsch geschrieben, oder die Abstimmung wurde gelöscht. Ein Code von der Leinwand führt ans Ziel:',
  busy: 'Einen Moment bitte',
  busyHint: 'Der Server kann diese Seite gerade nicht zeigen. Es geht nichts verloren: in ein paar Sekunden neu laden.',
  refused: 'Das geht so nicht',
  home: 'Zur Startseite',
};
