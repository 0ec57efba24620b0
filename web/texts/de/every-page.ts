import type { Catalogue } from '../en.ts';

export const common: Catalogue['common'] = {
  product: 'Hustings',
  skipToContent: 'Zum Inhalt springen',
  navigation: 'Navigation',
  leaderboard: 'Bestenliste',
  joinWithCode: 'Mit Code teilnehmen',
  vote: 'Abstimmen',
  results: 'Ergebnisse',
  status: {
    draft: 'Noch nicht offen',
    open: 'Offen',
    opensIn: 'Öffnet in {time}',
    closesIn: 'Offen · schließt in {time}',
    paused: 'Angehalten',
    closing: 'Die letzten Stimmzettel werden gezählt',
    closed: 'Geschlossen',
  },
  live: {
    updated: 'live, vor {seconds} s aktualisiert',
    stale: 'Verbindung wird neu aufgebaut … Zahlen von {time}',
    asOf: 'Zahlen von {time}',
  },
  share: {
    title: 'Teilnehmen',
    qr: 'QR-Code, der zu {url} führt',
    copy: 'Link kopieren',
    copied: 'Kopiert',
  },
  ballots: { one: '{count} Stimmzettel', other: '{count} Stimmzettel' },
  votes: { one: '{count} Stimme', other: '{count} Stimmen' },
};
