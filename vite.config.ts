/**
 * How the pages are built: for browsers each by itself, one script and one style sheet a page, and one module that renders all of them on the
 * server. Which pages there are, scripts/build-pages.ts finds.
 */
import { defineConfig } from 'vite';

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
        assetsDir: '.',
        modulePreload: { polyfill: false },
        // A picture or font that is small enough would become a data URI, which the pages' policy refuses.
        assetsInlineLimit: 0,
        target: ['chrome111', 'firefox114', 'safari16.4'],
      },
}));
