/** Files that pages load: scripts and styles under names that change with their content, and a few under names that stay. */
import path from 'node:path';
import type { FastifyReply } from 'fastify';
import { AppError } from '../errors.ts';
import type { HttpApp } from '../http/parts.ts';
import { chooseForm, openAssetFiles } from './asset-files.ts';
import type { PageRenderer } from './renderer.ts';
import type { Exchange } from './shown-poll.ts';

const yearCacheControl = 'public, max-age=31536000, immutable';
/** Files whose names stay the same. */
const shortCacheControl = 'public, max-age=3600';

const favicon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 26 26"><rect x="1.5" y="1.5" width="23" height="23" rx="4.5" fill="#fff" stroke="#16202e" stroke-width="2.4"/><path d="M7.6 7.2 18.4 18.8M18.6 7 7.4 19" stroke="#1d4ed8" stroke-width="3.4" stroke-linecap="round"/></svg>`;

export async function registerStaticRoutes(
  app: HttpApp,
  { assetFolder, assetsOf }: Pick<PageRenderer, 'assetFolder' | 'assetsOf'>,
): Promise<void> {
  const files = await openAssetFiles(assetFolder);
  const hidden = { schema: { hide: true } };

  async function sendFile({ request, reply }: Exchange, name: string, cacheControl: string): Promise<FastifyReply> {
    const file = await files.find(name);
    if (file === null) throw new AppError('route_not_found', 'There is no such file.');
    const { bytes, encoding } = chooseForm(file, request.headers['accept-encoding']);
    // The name changes with the content, so it is as good as a checksum.
    const etag = `"${name}${encoding === null ? '' : `.${encoding}`}"`;
    void reply.headers({
      etag,
      'cache-control': cacheControl,
      vary: 'Accept-Encoding',
      'x-content-type-options': 'nosniff',
    });
    if (request.headers['if-none-match'] === etag) return reply.code(304).send();
    if (encoding !== null) void reply.header('content-encoding', encoding);
    return reply.type(file.type).send(bytes);
  }

  app.get<{ Params: { file: string } }>('/assets/:file', hidden, (request, reply) =>
    sendFile({ request, reply }, request.params.file, yearCacheControl),
  );
  app.get('/favicon.svg', hidden, (_request, reply) =>
    reply
      .type('image/svg+xml')
      .header('cache-control', shortCacheControl)
      .header('x-content-type-options', 'nosniff')
      .send(favicon),
  );
  // Other sites name this script in their pages, so its address stays; and pages of any origin may load it.
  const element = assetsOf('element').script;
  if (element !== null) {
    app.get('/hustings-poll.js', hidden, (request, reply) => {
      void reply.headers({ 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' });
      return sendFile({ request, reply }, path.basename(element), shortCacheControl);
    });
  }
  app.get('/favicon.ico', hidden, (_request, reply) => reply.redirect('/favicon.svg', 301));
}
