import { open, rename, stat, type FileHandle } from 'node:fs/promises';
import { unlessSystemCode } from './error.ts';

const serverLogBytesMax = 10 * 1024 * 1024;

/** Opens the server's log for appending. A large one is put aside first, in place of the one before. */
export async function openServerLog(file: string): Promise<{ handle: FileHandle; offset: number }> {
  const size = await unlessSystemCode(['ENOENT'], 0, async () => (await stat(file)).size);
  if (size > serverLogBytesMax) await rename(file, `${file}.old`);
  const handle = await open(file, 'a', 0o600);
  return { handle, offset: size > serverLogBytesMax ? 0 : size };
}

/** The end of what was written since `offset`, at most 64 KiB of it. */
export async function readServerLog(file: string, offset: number): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const start = Math.max(offset, size - tailBytesMax);
    const { buffer, bytesRead } = await handle.read({
      buffer: Buffer.alloc(Math.max(size - start, 0)),
      position: start,
    });
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

const tailBytesMax = 65_536;
