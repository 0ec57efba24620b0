import type { Catalogue } from '../en.ts';

export const receipt: Catalogue['receipt'] = {
  windowTitle: 'Quittung {code}',
  description: 'Was aus einem Stimmzettel wurde.',
  counted: 'Dieser Stimmzettel ist gezählt',
  countedAt: 'Er wurde gezählt: {time}.',
  superseded: 'An seiner Stelle zählt eine spätere Stimme',
  supersededAt: 'Dieser Stimmzettel wurde angenommen: {time}. Seither kam eine neue Stimme, und die letzte zählt.',
  unknown: 'Zu dieser Quittung gibt es keinen Stimmzettel',
  unknownHint:
    'Bitte mit dem vergleichen, was die Seite nach dem Abstimmen zeigte. Eine Quittung hat 32 Buchstaben und Ziffern in fünf Gruppen.',
  poll: 'Abstimmung',
  receipt: 'Quittung',
  secret: 'Eine Quittung sagt, dass ein Stimmzettel im Verzeichnis steht, und nie, was darauf gewählt wurde.',
  results: 'Zu den Ergebnissen',
};
