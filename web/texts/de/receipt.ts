import type { Catalogue } from '../en.ts';

export const receipt: Catalogue['receipt'] = {
  windowTitle: 'Quittung {code}',
  description: 'Was aus einem Stimmzettel wurde.',
  received: 'Dieser Stimmzettel ist eingegangen',
  validating: 'Dieser Stimmzettel wird geprüft',
  receivedHint: 'Er ist auf dem Weg zur Zählung …',
  askAgain: 'Nachsehen, ob er gezählt ist',
  counted: 'Dieser Stimmzettel ist gezählt',
  countedAt: 'Er wurde gezählt: {time}.',
  superseded: 'An seiner Stelle zählt eine spätere Stimme',
  supersededAt: 'Dieser Stimmzettel wurde angenommen: {time}. Seither kam eine neue Stimme, und die letzte zählt.',
  failed: 'Dieser Stimmzettel wurde nicht gezählt',
  reasons: {
    ballot_already_cast: 'Es gab schon eine Stimme, und die erste ist die, die zählt.',
    idempotency_key_reused: 'Er wurde noch einmal mit anderer Auswahl gesendet. Es zählt der erste.',
    poll_closed: 'Die Abstimmung wurde vor seinem Eintreffen geschlossen.',
    poll_not_open: 'Die Abstimmung war nicht offen, als er eintraf.',
    poll_not_found: 'Die Abstimmung wurde gelöscht.',
    ballot_invalid: 'Die Optionen hatten sich geändert, als er eintraf.',
  },
  unknownReason: 'Der Server konnte ihn nicht aufnehmen.',
  unknown: 'Zu dieser Quittung gibt es keinen Stimmzettel',
  unknownHint:
    'Bitte mit dem vergleichen, was die Seite nach dem Abstimmen zeigte. Eine Quittung hat 32 Buchstaben und Ziffern in fünf Gruppen.',
  poll: 'Abstimmung',
  receipt: 'Quittung',
  secret: 'Eine Quittung sagt, was aus einem Stimmzettel wurde, und nie, was darauf gewählt wurde.',
  results: 'Zu den Ergebnissen',
};
