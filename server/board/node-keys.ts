/** What the keys of the shared board are called, and in which part of a cluster a poll is. */
import { hash } from 'node:crypto';

export type NodeKeys = {
  /** What the hashes of the polls hold. */
  readonly board: string;
  /** Who fills them anew. */
  readonly lock: string;
  /** A poll's hash is this and its key. */
  readonly pollPrefix: string;
};

/** On a node of the ring, which holds nothing else of the board. */
export const ringKeys: NodeKeys = { board: 'hustings:board', lock: 'hustings:rebuild', pollPrefix: 'poll:' };

/** In a cluster: what is in the braces decides the slot, so that all keys of a part are in one. */
export function toPartKeys(part: number): NodeKeys {
  return { board: `hustings:board:{${part}}`, lock: `hustings:rebuild:{${part}}`, pollPrefix: `poll:{${part}}:` };
}

/** Of three masters with a third of the slots each, one has 8 of them, one 11 and one 13. Each part costs every process a look a second. */
export const partCount = 32;

/** A poll's part: the MD5 of its key as a 128-bit number, modulo the number of parts. */
export function toPart(key: string, parts: number): number {
  return Number(BigInt(`0x${hash('md5', key, 'hex')}`) % BigInt(parts));
}

export function toPartName(part: number): string {
  return `part ${part}`;
}
