/**
 * Pages that are the same for everybody, made once and given to all who ask for them: when a vote opens, thousands of voters load one
 * page in the same second. What differs from visitor to visitor are two holes in its text, the ledger's time and the key of the form.
 * Everything else that a page depends on is the name under which it is kept, so nobody gets one that would look different now.
 *
 * Packed, a page is one gzip member (RFC 1952): each piece between holes is deflated up to the border of a byte, and the values come in
 * stored blocks (RFC 1951, section 3.2.4). Pieces refer back to those before them, but never into a hole. Nothing is packed anew but for
 * the checksum.
 */
import { randomUUID } from 'node:crypto';
import { constants, crc32, deflateRawSync } from 'node:zlib';

/** In the properties of a page it stands for a key that is made for each visitor. It looks like one, and nobody can guess it. */
export const formKeyMark = makeFormKey();

export type Values = { readonly nowMs: number; readonly formKey: string };

export type SharedPage = { plain(values: Values): string; packed(values: Values): Buffer };

export type SharedPages = {
  /** The page that is kept under this name, or the one that is made. */
  find(name: string, make: () => string): SharedPage;
};

const pagesMax = 256;
const charsMax = 16_000_000;

/** The one that nobody has asked for longest is forgotten first. */
export function createSharedPages(): SharedPages {
  const pages = new Map<string, { readonly page: SharedPage; readonly chars: number }>();
  let chars = 0;

  function forget(name: string): void {
    chars -= pages.get(name)?.chars ?? 0;
    pages.delete(name);
  }

  return {
    find(name, make) {
      const found = pages.get(name);
      const text = found === undefined ? make() : '';
      const kept = found ?? { page: toSharedPage(text), chars: name.length + text.length };
      forget(name);
      pages.set(name, kept);
      chars += kept.chars;
      for (const oldest of pages.keys()) {
        if (pages.size <= pagesMax && chars <= charsMax) break;
        forget(oldest);
      }
      return kept.page;
    },
  };
}

export function makeFormKey(): string {
  // Drawn in advance by the hundred, unlike other random bytes.
  return randomUUID();
}

type Hole = { readonly hole: keyof Values; readonly length: number };
type Part = { readonly text: string } | Hole;
type Piece = { readonly bytes: Buffer; readonly deflated: Buffer } | Hole;

/** The time is where `"nowMs":` stands first: quotes of people's texts are entities or have a backslash before them. */
const holes = new RegExp(String.raw`(?<formKey>${formKeyMark})|(?<="nowMs":)(?<nowMs>\d+)`, 'gu');

export function toSharedPage(text: string): SharedPage {
  const parts = toParts(text);
  let pieces: readonly Piece[] | null = null;
  return {
    plain: (values) => parts.map((part) => ('hole' in part ? String(values[part.hole]) : part.text)).join(''),
    packed(values) {
      pieces ??= toPieces(parts);
      const chunks: Buffer[] = [gzipHead];
      let checksum = 0;
      let size = 0;
      for (const piece of pieces) {
        const bytes = 'hole' in piece ? toValueBytes(piece, values) : piece.bytes;
        checksum = crc32(bytes, checksum);
        size += bytes.length;
        if ('hole' in piece) chunks.push(toStoredHead(bytes.length), bytes);
        else chunks.push(piece.deflated);
      }
      return Buffer.concat([...chunks, toGzipEnd(checksum, size)]);
    },
  };
}

function toParts(text: string): Part[] {
  const parts: Part[] = [];
  let from = 0;
  let timed = false;
  for (const { 0: mark, index, groups } of text.matchAll(holes)) {
    const hole = groups?.['formKey'] === undefined ? 'nowMs' : 'formKey';
    if (hole === 'nowMs' && timed) continue;
    timed ||= hole === 'nowMs';
    parts.push({ text: text.slice(from, index) }, { hole, length: mark.length });
    from = index + mark.length;
  }
  return [...parts, { text: text.slice(from) }];
}

function toPieces(parts: readonly Part[]): Piece[] {
  let before: Buffer = Buffer.alloc(0);
  return parts.map((part) => {
    // No text has this byte in UTF-8, so nothing of a page is found in a hole.
    const bytes = 'hole' in part ? Buffer.alloc(part.length, 0xff) : Buffer.from(part.text);
    const dictionary = before.subarray(-windowBytes);
    before = Buffer.concat([before, bytes]);
    if ('hole' in part) return part;
    const deflated = deflateRawSync(bytes, {
      finishFlush: constants.Z_SYNC_FLUSH,
      ...(dictionary.length === 0 ? {} : { dictionary }),
    });
    return { bytes, deflated };
  });
}

/** Pieces count their way back over the hole, so every value is as long as what stood there. */
function toValueBytes({ hole, length }: Hole, values: Values): Buffer {
  const bytes = Buffer.from(String(values[hole]));
  if (bytes.length !== length) throw new RangeError(`The value of ${hole} is not as long as its hole.`);
  return bytes;
}

/** How far back deflate looks. */
const windowBytes = 32_768;
const deflateMethod = 8;
const unknownSystem = 255;
const gzipHead = Buffer.from([0x1f, 0x8b, deflateMethod, 0, 0, 0, 0, 0, 0, unknownSystem]);
const lengthMask = 0xff_ff;

function toStoredHead(length: number): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt16LE(length, 1);
  head.writeUInt16LE(length ^ lengthMask, 3);
  return head;
}

/** A last block with nothing in it, the checksum and the size. */
function toGzipEnd(checksum: number, size: number): Buffer {
  const end = Buffer.alloc(10);
  end.writeUInt16LE(0x00_03, 0);
  end.writeUInt32LE(checksum, 2);
  end.writeUInt32LE(size % 2 ** 32, 6);
  return end;
}
