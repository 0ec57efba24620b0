/**
 * The built files that pages load, each read once and then given from memory: all of them together are about a megabyte, and when a
 * vote opens, every voter loads two of them. 2026-11-21: 35 µs of CPU a request on a busy machine, where reading
 * the disk each time took 350.
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { qualityOf } from '../http/preferences.ts';

export type AssetFile = {
  readonly type: string;
  /** As it is, and packed as the build has packed it. */
  readonly plain: Buffer;
  readonly packed: readonly { readonly encoding: 'br' | 'gzip'; readonly bytes: Buffer }[];
};

export type AssetFiles = {
  /** null for a name that the build has not made. */
  find(name: string): Promise<AssetFile | null>;
};

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};
/** In the order in which they are preferred. */
const packings = [
  { encoding: 'br', ending: '.br' },
  { encoding: 'gzip', ending: '.gz' },
] as const;

export async function openAssetFiles(folder: string): Promise<AssetFiles> {
  const names = new Set(await readdir(folder));
  const files = new Map<string, Promise<AssetFile>>();

  async function read(name: string, type: string): Promise<AssetFile> {
    const packed = packings.filter(({ ending }) => names.has(name + ending));
    const [plain, ...others] = await Promise.all(
      ['', ...packed.map(({ ending }) => ending)].map((ending) => readFile(path.join(folder, name + ending))),
    );
    if (plain === undefined) throw new Error('The first of them is the file itself.');
    return {
      type,
      plain,
      packed: packed.flatMap(({ encoding }, index) => {
        const bytes = others[index];
        return bytes === undefined || bytes.length >= plain.length ? [] : [{ encoding, bytes }];
      }),
    };
  }

  return {
    async find(name) {
      const type = types[path.extname(name)];
      if (type === undefined || !names.has(name)) return null;
      const found = files.get(name) ?? read(name, type);
      files.set(name, found);
      // Without this, a file that could not be read once would be missing for good.
      return found.catch((error: unknown) => {
        files.delete(name);
        throw error;
      });
    },
  };
}

/** The smallest form of the file that the client takes, by its `Accept-Encoding`. */
export function chooseForm(
  { plain, packed }: AssetFile,
  accepted: string | undefined,
): { readonly bytes: Buffer; readonly encoding: string | null } {
  const form =
    accepted === undefined
      ? undefined
      : packed.find(({ encoding }) => qualityOf(accepted, (range) => range === encoding) > 0);
  return form ?? { bytes: plain, encoding: null };
}
