/**
 * The file of a backup: a line that says what it is, a line of JSON about it, the frames in gzip, and a line with the SHA-256 of all before.
 *
 * It grows under another name beside its place and is renamed when it is whole and on the disk, so whatever has the name of a backup
 * is one. A reader checks the sum of the whole file before it believes a byte of it. The sum tells damage, not forgery.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { syncFolder } from '../../lib/sync-folder.ts';

/** What stands in front, for people too: `head -2 FILE`. */
export type DumpHeader = {
  /** Of the program that made it. */
  readonly version: string;
  /** ISO 8601. */
  readonly madeAt: string;
  /** Names the ledger, in hexadecimal digits; null where no server has ever run on it. */
  readonly epoch: string | null;
  /** The migrations of its schema, in their order. */
  readonly migrations: readonly string[];
};

/** `table` begins one, `rows` carry it in the text format of COPY, `end` says how many there were; `counters` come last. */
export type DumpFrame =
  | { readonly kind: 'table'; readonly table: string; readonly columns: readonly string[] }
  | { readonly kind: 'rows'; readonly bytes: Buffer }
  | { readonly kind: 'end'; readonly rowCount: number }
  | {
      readonly kind: 'counters';
      readonly counters: readonly { readonly table: string; readonly column: string; readonly last: number }[];
    };

const title = 'Hustings backup 1';
const titlePattern = /^Hustings backup (\d+)$/u;
const headBytesMax = 65_536;
const sumLine = /^\nsha256 ([0-9a-f]{64})\n$/u;
const sumLineBytes = '\nsha256 \n'.length + 64;
const frameHeadBytes = 5;
const rowsKind = 0;
const factsKind = 1;
/** Fast rather than small: half of a backup is random bits in hexadecimal digits. */
const gzipLevel = 1;

/** Answers how many bytes the file has. It holds secrets, so only its owner may read it. */
export async function writeDumpFile(
  file: string,
  header: DumpHeader,
  frames: AsyncIterable<DumpFrame>,
): Promise<{ bytes: number }> {
  const growing = `${file}.${process.pid}-${randomBytes(4).toString('hex')}.new`;
  const handle = await open(growing, 'wx', 0o600);
  try {
    const bytes = await writeAll(handle, header, frames);
    await handle.sync();
    await handle.close();
    await rename(growing, file);
    await syncFolder(path.dirname(file));
    return { bytes };
  } catch (error) {
    await handle.close();
    await rm(growing, { force: true });
    throw error;
  }
}

async function writeAll(handle: FileHandle, header: DumpHeader, frames: AsyncIterable<DumpFrame>): Promise<number> {
  const hash = createHash('sha256');
  let bytes = 0;
  async function write(chunk: Buffer): Promise<void> {
    await handle.writeFile(chunk);
    bytes += chunk.length;
  }
  async function put(chunk: Buffer): Promise<void> {
    hash.update(chunk);
    await write(chunk);
  }
  await put(Buffer.from(`${title}\n${JSON.stringify(header)}\n`));
  await pipeline(Readable.from(encodeFrames(frames)), createGzip({ level: gzipLevel }), async (packed) => {
    for await (const chunk of packed) await put(chunk as Buffer); // What gzip makes.
  });
  await write(Buffer.from(`\nsha256 ${hash.digest('hex')}\n`));
  return bytes;
}

async function* encodeFrames(frames: AsyncIterable<DumpFrame>): AsyncGenerator<Buffer> {
  for await (const frame of frames) {
    const isRows = frame.kind === 'rows';
    const body = isRows ? frame.bytes : Buffer.from(JSON.stringify(frame));
    const head = Buffer.alloc(frameHeadBytes);
    head.writeUInt8(isRows ? rowsKind : factsKind);
    head.writeUInt32BE(body.length, 1);
    yield head;
    yield body;
  }
}

export type DumpFile = {
  readonly header: DumpHeader;
  /** Reads them from the beginning. */
  frames(): AsyncIterable<DumpFrame>;
};

/** Reads the whole file once. @throws {Error} one line, for what is no backup, a damaged one, or one of a newer format */
export async function openDumpFile(file: string): Promise<DumpFile> {
  const { size } = await stat(file);
  const head = await readHead(file);
  const [first = '', second = ''] = head.toString('utf8').split('\n', 2);
  const format = titlePattern.exec(first)?.[1];
  if (format === undefined) throw new Error(`${file} is no backup of Hustings.`);
  if (first !== title) {
    throw new Error(`${file} has the format ${format}, which this Hustings does not read: use the one that made it.`);
  }
  await checkSum(file, size);
  const header = JSON.parse(second) as DumpHeader; // The sum is right: it is as we wrote it.
  const start = Buffer.byteLength(`${first}\n${second}\n`);
  return { header, frames: () => readFrames(file, start, size - sumLineBytes) };
}

async function readHead(file: string): Promise<Buffer> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytesMax), 0, headBytesMax, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function checkSum(file: string, size: number): Promise<void> {
  const damaged = new Error(`${file} is damaged: it is not as it was written. Nothing was restored.`);
  if (size <= sumLineBytes) throw damaged;
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { end: size - sumLineBytes - 1 }), hash);
  let last = '';
  for await (const chunk of createReadStream(file, { start: size - sumLineBytes, encoding: 'latin1' })) last += chunk;
  if (sumLine.exec(last)?.[1] !== hash.digest('hex')) throw damaged;
}

async function* readFrames(file: string, start: number, end: number): AsyncGenerator<DumpFrame> {
  const packed = createReadStream(file, { start, end: end - 1 });
  const plain = packed.pipe(createGunzip());
  packed.once('error', (error) => plain.destroy(error));
  let kept = Buffer.alloc(0);
  for await (const chunk of plain) {
    kept = Buffer.concat([kept, chunk as Buffer]); // What gunzip makes.
    for (;;) {
      const frame = takeFrame(kept);
      if (frame === null) break;
      yield toFrame(frame);
      kept = kept.subarray(frameHeadBytes + frame.body.length);
    }
  }
  if (kept.length > 0) throw new Error(`${file} ends within a frame.`);
}

function takeFrame(bytes: Buffer): { kind: number; body: Buffer } | null {
  if (bytes.length < frameHeadBytes) return null;
  const end = frameHeadBytes + bytes.readUInt32BE(1);
  return bytes.length < end ? null : { kind: bytes.readUInt8(), body: bytes.subarray(frameHeadBytes, end) };
}

function toFrame({ kind, body }: { kind: number; body: Buffer }): DumpFrame {
  if (kind === rowsKind) return { kind: 'rows', bytes: body };
  return JSON.parse(body.toString('utf8')) as DumpFrame; // Our own file, as its sum says.
}
