/**
 * Builds the pages into dist/: what browsers load (dist/web, with compressed copies) and what renders on the server (dist/render).
 * `run.mjs` calls it where the pages are older than their sources; the stamp that it leaves says which sources they are of.
 */
import { globSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'vite';

const root = path.resolve(import.meta.dirname, '..');
const finished = path.join(root, 'dist');
/** Built beside the old pages and moved into their place, so that a server never meets half of them. */
const staging = path.join(root, '.cache', 'pages');
const [stamp = ''] = process.argv.slice(2);

rmSync(staging, { recursive: true, force: true });
const shared = { configFile: path.join(root, 'vite.config.ts'), mode: 'production' };
for (const [page, file] of findScripts()) {
  // Each by itself: a visitor sees one page, and ten small files that pages could share come later than one that they do not.
  const output = { outDir: path.join(staging, 'web'), emptyOutDir: false, manifest: `manifest.${page}.json` };
  await build({ ...shared, build: { ...output, rollupOptions: { input: { [page]: file } } } });
}
await build({ ...shared, build: { outDir: path.join(staging, 'render'), ssr: 'web/render.tsx' } });
compressAll(path.join(staging, 'web'));
writeFileSync(path.join(staging, 'stamp'), stamp);
rmSync(finished, { recursive: true, force: true });
renameSync(staging, finished);

/** Every `web/<page>/client.ts(x)` is the script of a page. */
function findScripts(): [page: string, file: string][] {
  const files = globSync('web/*/client.{ts,tsx}', { cwd: root }).toSorted();
  return files.map((file) => [path.basename(path.dirname(file)), file]);
}

/** So that nothing is compressed while people wait for it. */
function compressAll(webFolder: string): void {
  for (const name of readdirSync(webFolder)) {
    if (!/\.(?:js|css|svg)$/u.test(name)) continue;
    const file = path.join(webFolder, name);
    const content = readFileSync(file);
    writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }));
    writeFileSync(
      `${file}.br`,
      brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } }),
    );
  }
}
