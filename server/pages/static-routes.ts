/** Files that pages load: scripts and styles under names that change with their content, and a few under names that stay. */
import path from 'node:path';
import fastifyStatic from '@fastify/static';
import type { HttpApp } from '../http/parts.ts';
import type { PageRenderer } from './renderer.ts';

const yearSeconds = 31_536_000;
/** Files whose names stay the same. */
const shortCacheControl = 'public, max-age=3600';

const favicon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 26 26"><rect x="1.5" y="1.5" width="23" height="23" rx="4.5" fill="#fff" stroke="#16202e" stroke-width="2.4"/><path d="M7.6 7.2 18.4 18.8M18.6 7 7.4 19" stroke="#1d4ed8" stroke-width="3.4" stroke-linecap="round"/></svg>`;

export async function registerStaticRoutes(
  app: HttpApp,
  { assetFolder, assetsOf }: Pick<PageRenderer, 'assetFolder' | 'assetsOf'>,
): Promise<void> {
  await app.register(fastifyStatic, {
    root: assetFolder,
    prefix: '/assets/',
    preCompressed: true,
    index: false,
    immutable: true,
    maxAge: yearSeconds * 1_000,
    setHeaders: (response) => void response.header('x-content-type-options', 'nosniff'),
  });
  app.get('/favicon.svg', { schema: { hide: true } }, (_request, reply) =>
    reply
      .type('image/svg+xml')
      .header('cache-control', shortCacheControl)
      .header('x-content-type-options', 'nosniff')
      .send(favicon),
  );
  // Other sites name this script in their pages, so its address stays; and pages of any origin may load it.
  const element = assetsOf('element').script;
  if (element !== null) {
    app.get('/hustings-poll.js', { schema: { hide: true } }, (_request, reply) =>
      reply
        .header('cache-control', shortCacheControl)
        .header('access-control-allow-origin', '*')
        .header('cross-origin-resource-policy', 'cross-origin')
        .sendFile(path.basename(element), assetFolder, { maxAge: 0, cacheControl: false }),
    );
  }
  app.get('/favicon.ico', { schema: { hide: true } }, (_request, reply) => reply.redirect('/favicon.svg', 301));
}
