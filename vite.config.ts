/** How the pages are built: one script and one style sheet a page for browsers, and one module that renders all of them on the server. */
import { globSync } from 'node:fs';
import path from 'node:path';
import { defineConfig } from 'vite';

/** Every `web/<page>/client.ts(x)` is the script of a page. */
function findScripts(): Record<string, string> {
  const files = globSync('web/*/client.{ts,tsx}', { cwd: import.meta.dirname }).toSorted();
  return Object.fromEntries(files.map((file) => [path.basename(path.dirname(file)), file]));
}

export default defineConfig(({ isSsrBuild }) => ({
  root: import.meta.dirname,
  base: '/assets/',
  publicDir: false,
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: isSsrBuild
    ? {
        outDir: 'dist/render',
        emptyOutDir: true,
        target: 'node24',
        rollupOptions: { output: { entryFileNames: 'render.js' } },
      }
    : {
        outDir: 'dist/web',
        emptyOutDir: true,
        assetsDir: '.',
        manifest: 'manifest.json',
        modulePreload: { polyfill: false },
        // A picture or font that is small enough would become a data URI, which the pages' policy refuses.
        assetsInlineLimit: 0,
        target: ['chrome111', 'firefox114', 'safari16.4'],
        rollupOptions: { input: findScripts() },
      },
}));
