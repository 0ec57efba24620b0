/** What has changed among the sources, and what that asks for in development. */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';

/** Files by their path from the root, with slashes, and a mark that changes with them. */
export type Scan = ReadonlyMap<string, string>;

/**
 * Looks at every file in some folders. Looking again and again is what works everywhere: Node's own recursive watching loses
 * a file on Linux once an editor has put another in its place (Node 24.21), and hears nothing on some mounted folders.
 */
export function scanPlaces(root: string, places: readonly string[]): Scan {
  const scan = new Map<string, string>();
  for (const place of places) addPlace(scan, root, place);
  return scan;
}

function addPlace(scan: Map<string, string>, root: string, place: string): void {
  const found = statSync(path.join(root, place), { throwIfNoEntry: false });
  if (found?.isFile() === true) scan.set(place, `${found.ino} ${found.mtimeMs} ${found.size}`);
  if (found?.isDirectory() !== true) return;
  for (const name of readdirSync(path.join(root, place))) addPlace(scan, root, `${place}/${name}`);
}

/** The files that came, went or are no longer the same, in the order of the alphabet. */
export function findChanges(before: Scan, now: Scan): string[] {
  const names = new Set([...before.keys(), ...now.keys()]);
  return [...names].filter((name) => before.get(name) !== now.get(name)).toSorted();
}

/** `pages`: build them, then start the server anew, which has the old ones in memory. `server`: only that. */
export type Work = 'pages' | 'server' | 'nothing';

/** Paths from the root, with slashes. */
export function toWork(changed: Iterable<string>): Work {
  const sources = [...changed].filter(isSource);
  if (sources.some((file) => !file.startsWith('server/'))) return 'pages';
  return sources.length > 0 ? 'server' : 'nothing';
}

/** Tests are no part of what runs, nor is what editors leave behind while they save. */
function isSource(file: string): boolean {
  return /\.(?:ts|tsx|css|sql|svg|json)$/u.test(file) && !/\.test\.tsx?$|(?:^|\/)[.#]/u.test(file);
}
