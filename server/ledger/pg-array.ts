/**
 * PostgreSQL arrays in the binary form of the wire protocol: one dimension, lower bound 1
 * (postgresql.org/docs/current/protocol-message-formats.html; `array_recv` in src/backend/utils/adt/arrayfuncs.c).
 * `pg` sends a Buffer as a binary parameter, which spares both sides the text of thousands of elements.
 */

const uuidOid = 2950;
const int4Oid = 23;
const int8Oid = 20;
const textOid = 25;
const headBytes = 20;
const lengthBytes = 4;
const nullLength = -1;

export function toInt4Array(values: readonly number[]): Buffer {
  const bytes = allocate(values.length, values.length * (lengthBytes + 4), int4Oid, false);
  let offset = headBytes;
  for (const value of values) {
    offset = bytes.writeInt32BE(4, offset);
    offset = bytes.writeInt32BE(value, offset);
  }
  return bytes;
}

/** Numbers must be safe integers. */
export function toInt8Array(values: readonly (number | null)[]): Buffer {
  const bytes = allocate(values.length, values.length * (lengthBytes + 8), int8Oid, values.includes(null));
  let offset = headBytes;
  for (const value of values) {
    if (value === null) {
      offset = bytes.writeInt32BE(nullLength, offset);
      continue;
    }
    offset = bytes.writeInt32BE(8, offset);
    offset = bytes.writeInt32BE(Math.floor(value / 0x1_0000_0000), offset);
    offset = bytes.writeUInt32BE(value >>> 0, offset);
  }
  return bytes.subarray(0, offset);
}

/** Each element has 16 bytes. */
export function toUuidArray(values: readonly (Buffer | null)[]): Buffer {
  const bytes = allocate(values.length, values.length * (lengthBytes + 16), uuidOid, values.includes(null));
  let offset = headBytes;
  for (const value of values) {
    offset = bytes.writeInt32BE(value === null ? nullLength : 16, offset);
    if (value !== null) offset += value.copy(bytes, offset);
  }
  return bytes.subarray(0, offset);
}

/** ASCII only: one byte a character. */
export function toAsciiArray(values: readonly string[]): Buffer {
  let charCount = 0;
  for (const value of values) charCount += value.length;
  const bytes = allocate(values.length, values.length * lengthBytes + charCount, textOid, false);
  let offset = headBytes;
  for (const value of values) {
    offset = bytes.writeInt32BE(value.length, offset);
    offset += bytes.write(value, offset, 'latin1');
  }
  return bytes;
}

function allocate(count: number, bodyBytes: number, elementOid: number, hasNull: boolean): Buffer {
  const bytes = Buffer.allocUnsafe(headBytes + bodyBytes);
  bytes.writeInt32BE(1, 0);
  bytes.writeInt32BE(hasNull ? 1 : 0, 4);
  bytes.writeInt32BE(elementOid, 8);
  bytes.writeInt32BE(count, 12);
  bytes.writeInt32BE(1, 16);
  return bytes;
}
