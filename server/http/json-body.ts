/** JSON as bytes on the wire. */
import { isUtf8 } from 'node:buffer';

/**
 * The value of a JSON text. JSON travels in UTF-8 (RFC 8259): other bytes would become replacement characters, and different voters one.
 * @throws {SyntaxError} where the bytes are not UTF-8 or the text is not JSON
 */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new SyntaxError('The bytes are not UTF-8.');
  return JSON.parse(bytes.toString('utf8'));
}
