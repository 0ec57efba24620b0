/** Short ids that are unique within one process and do not repeat over restarts: for requests, whose ids only the log needs. */
import { randomBytes } from 'node:crypto';

const prefix = randomBytes(6).toString('base64url');
let count = 0;

export function toQuickId(): string {
  count += 1;
  return `${prefix}-${count.toString(36)}`;
}
