/** Programs that this machine has. */
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';

/** The first of these programs that is on PATH; null where none is. */
export function findProgram(names: readonly string[]): string | null {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  return names.map((name) => findIn(folders, name)).find((file) => file !== null) ?? null;
}

/** The program of this name in the first folder that has it; the folders need not be there. */
export function findIn(folders: readonly string[], name: string): string | null {
  return folders.map((folder) => path.join(folder, name)).find(isProgram) ?? null;
}

export function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
