/** The pages that were built into dist/: what renders them, and which script and style sheets each of them loads. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { PageName, PageProps, PageSetting } from '../../protocol/pages.ts';

export type RenderedPage = {
  readonly title: string;
  readonly description: string;
  readonly html: string;
  readonly data: string;
};

export type PageRenderer = {
  render<Name extends PageName>(name: Name, props: PageProps[Name], setting: PageSetting): RenderedPage;
  /** Where browsers find what the page loads, as paths. */
  assetsOf(name: string): PageAssets;
  /** The folder whose files are served under /assets/. */
  readonly assetFolder: string;
};

export type PageAssets = {
  readonly script: string | null;
  readonly styles: readonly string[];
  /** Modules that the script imports, to be loaded beside it. */
  readonly modules: readonly string[];
};

type RenderModule = { readonly renderPage: PageRenderer['render'] };
type Chunk = { readonly file: string; readonly css?: readonly string[]; readonly imports?: readonly string[] };
type Manifest = Readonly<Record<string, Chunk>>;

const builtFolder = path.resolve(import.meta.dirname, '../../dist');

/** @throws {Error} one line for whoever starts the server, where the pages were never built */
export async function loadPageRenderer(): Promise<PageRenderer> {
  const assetFolder = path.join(builtFolder, 'web');
  try {
    const [module, manifest] = await Promise.all([
      import(pathToFileURL(path.join(builtFolder, 'render', 'render.js')).href) as Promise<RenderModule>, // Built from web/render.tsx.
      readManifests(assetFolder),
    ]);
    const assets = new Map(pageNamesOf(manifest).map((name) => [name, toAssets(manifest, name)]));
    return { assetFolder, render: module.renderPage, assetsOf: (name) => assets.get(name) ?? noAssets };
  } catch (cause) {
    const remedy = 'Start with "npm start", which builds them.';
    throw new Error(`The pages in ${builtFolder} are missing or broken. ${remedy}`, { cause });
  }
}

/** Vite writes one for each page. */
async function readManifests(folder: string): Promise<Manifest> {
  const names = (await readdir(folder)).filter((name) => /^manifest\.[\w-]+\.json$/u.test(name));
  const texts = await Promise.all(names.map((name) => readFile(path.join(folder, name), 'utf8')));
  return Object.assign({}, ...texts.map((text) => JSON.parse(text) as Manifest)) as Manifest; // By the names of the sources.
}

const noAssets: PageAssets = { script: null, styles: [], modules: [] };

/** The pages that have a script. */
function pageNamesOf(manifest: Manifest): string[] {
  return Object.keys(manifest).flatMap((source) => /^web\/([\w-]+)\/client\.tsx?$/u.exec(source)?.[1] ?? []);
}

function toAssets(manifest: Manifest, name: string): PageAssets {
  const source = [`web/${name}/client.tsx`, `web/${name}/client.ts`].find((each) => each in manifest);
  const chunk = source === undefined ? undefined : manifest[source];
  if (source === undefined || chunk === undefined) return noAssets;
  const chunks = gatherChunks(manifest, source, new Set());
  return {
    script: toUrl(chunk.file),
    styles: [...new Set(chunks.flatMap(({ css }) => css ?? []))].map(toUrl),
    modules: chunks.filter((each) => each !== chunk).map(({ file }) => toUrl(file)),
  };
}

/** The chunk and all that it imports, imports first: their styles are what the page's own build on. */
function gatherChunks(manifest: Manifest, source: string, seen: Set<string>): Chunk[] {
  const chunk = manifest[source];
  if (chunk === undefined || seen.has(source)) return [];
  seen.add(source);
  return [...(chunk.imports ?? []).flatMap((each) => gatherChunks(manifest, each, seen)), chunk];
}

function toUrl(file: string): string {
  return `/assets/${file}`;
}
