/** Newline-delimited JSON (ndjson.org) as it streams in: one text a line, never more in memory than a chunk and a line. */
import { isUtf8 } from 'node:buffer';
import { AppError } from '../errors.ts';

const newline = 0x0a;

/**
 * Yields the lines of each chunk together, without their ends and without blank lines.
 * @throws {AppError} `body_too_large` where a line has more than `lineBytesMax` bytes; the lines before it were yielded.
 */
export async function* readLines(chunks: AsyncIterable<Buffer>, lineBytesMax: number): AsyncGenerator<string[]> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const end = bytes.lastIndexOf(newline);
    const lines = end < 0 ? [] : splitLines(bytes.subarray(0, end));
    rest = bytes.subarray(end + 1);
    const tooLong = lines.findIndex((line) => isTooLong(line, lineBytesMax));
    if (tooLong >= 0) {
      yield lines.slice(0, tooLong);
      throw lineTooLong(lineBytesMax);
    }
    if (lines.length > 0) yield lines;
    if (rest.length > lineBytesMax) throw lineTooLong(lineBytesMax);
  }
  const last = splitLines(rest);
  if (last.length > 0) yield last;
}

function splitLines(bytes: Buffer): string[] {
  const lines = isUtf8(bytes) ? bytes.toString('utf8').split('\n') : splitBrokenLines(bytes);
  return lines.filter((line) => line.trim() !== '');
}

/** A line that is not UTF-8 becomes one replacement character, which is no JSON: it must not name another voter than was meant. */
function splitBrokenLines(bytes: Buffer): string[] {
  const lines: string[] = [];
  let start = 0;
  while (start <= bytes.length) {
    const end = bytes.indexOf(newline, start);
    const line = bytes.subarray(start, end < 0 ? bytes.length : end);
    lines.push(isUtf8(line) ? line.toString('utf8') : '\ufffd');
    start += line.length + 1;
  }
  return lines;
}

/** No character has more than three bytes for each of its UTF-16 units, so most lines need no counting. */
function isTooLong(line: string, lineBytesMax: number): boolean {
  return line.length * 3 > lineBytesMax && Buffer.byteLength(line) > lineBytesMax;
}

function lineTooLong(lineBytesMax: number): AppError {
  return new AppError('body_too_large', `A line has more than ${lineBytesMax} bytes.`);
}
