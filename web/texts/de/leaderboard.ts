import type { Catalogue } from '../en.ts';

export const leaderboard: Catalogue['leaderboard'] = {
  title: 'Bestenliste',
  description: 'Die führenden Optionen aller offenen Abstimmungen.',
  lead: 'Die führenden Optionen aller offenen Abstimmungen.',
  all: 'Insgesamt',
  lastTenMinutes: 'Letzte 10 Minuten',
  windows: 'Zeitraum',
  rank: 'Rang',
  option: 'Option',
  poll: 'Abstimmung',
  votes: 'Stimmen',
  empty: 'Es ist keine Abstimmung offen, die ihre Ergebnisse zeigt.',
  create: 'Eine anlegen',
};
