/** The key that its creator gets once for a new poll. 160 random bits, so a plain SHA-256 of it is safe to store. */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

export function drawManageKey(): string {
  return `manage_${randomBytes(20).toString('base64url')}`;
}

export function hashManageKey(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}

export function manageKeyMatches(key: string, keyHash: Buffer): boolean {
  return timingSafeEqual(hashManageKey(key), keyHash);
}

/** Compares two texts in a time that tells nothing about where they differ. */
export function secretsMatch(given: string, secret: string): boolean {
  return timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', secret, 'buffer'));
}
