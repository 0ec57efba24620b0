/** The refusals of the core that the contract `election` has another status or other words for. */
import { DetailRefusal, type RefusalWords } from './detail-errors.ts';

export const electionRefusals: RefusalWords = {
  credential_missing: () => new DetailRefusal(401, 'Could not validate credentials: no token was sent.'),
  credential_invalid: ({ message }) =>
    new DetailRefusal(401, `Could not validate credentials: ${message.charAt(0).toLowerCase()}${message.slice(1)}`),
  idempotency_key_reused: ({ message }) => new DetailRefusal(409, message),
};
