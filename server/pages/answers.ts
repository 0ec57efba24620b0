/** Answering with a page: rendered, in its document, with the headers that keep it safe. */
import { gzipSync } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Language, PageName, PageProps, PageSetting } from '../../protocol/pages.ts';
import type { PageAnswers, PageOptions } from '../http/page-answers.ts';
import { qualityOf } from '../http/preferences.ts';
import { toRequestUrl } from '../lib/request-url.ts';
import { toDocument } from './document.ts';
import { chooseLanguage } from './language.ts';
import { toContentSecurityPolicy } from './content-security-policy.ts';
import type { PageRenderer } from './renderer.ts';
import { createSharedPages, makeFormKey } from './shared-pages.ts';

export type SiteOptions = {
  /** As configured; null: the address that the client itself used. */
  readonly publicUrl: string | null;
  readonly development: boolean;
  /** The ledger's clock. */
  readonly now: () => number;
};

/** Below it, packing costs more than it saves. */
const packedBytesMin = 1_000;
const packingLevel = 5;
const hostPattern = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/iu;

/** What of a page the request decides. */
type Asked = { readonly language: Language; readonly publicUrl: string; readonly canonicalPath: string };

/** What of it the route decides. */
type Wanted<Name extends PageName> = {
  readonly name: Name;
  readonly props: PageProps[Name];
  readonly options: PageOptions;
};

export function createPageAnswers(renderer: PageRenderer, site: SiteOptions): PageAnswers {
  const pages = createSharedPages();

  function publicUrlOf(request: FastifyRequest): string {
    if (site.publicUrl !== null) return site.publicUrl;
    // Without a configured address, links lead to where this client came from: a phone in the room asks for the laptop's address.
    return hostPattern.test(request.host) ? `${request.protocol}://${request.host}` : 'http://localhost';
  }

  function toAsked(request: FastifyRequest, { canonicalPath }: PageOptions): Asked {
    const { pathname, searchParams } = toRequestUrl(request.url);
    const language = chooseLanguage(searchParams.get('lang'), request.headers['accept-language']);
    return { language, publicUrl: publicUrlOf(request), canonicalPath: canonicalPath ?? pathname };
  }

  function toHtml<Name extends PageName>(
    { language, publicUrl, canonicalPath }: Asked,
    nowMs: number,
    { name, props, options }: Wanted<Name>,
  ): string {
    const setting: PageSetting = { language, publicUrl, nowMs };
    const { picturePath, listed = false } = options;
    return toDocument({
      name,
      language,
      page: renderer.render(name, props, setting),
      assets: renderer.assetsOf(name),
      url: `${publicUrl}${canonicalPath}`,
      pictureUrl: picturePath === undefined ? null : `${publicUrl}${picturePath}`,
      listed,
      development: site.development,
    });
  }

  return {
    publicUrlOf,
    send({ request, reply }, name, props, options = {}) {
      const { status = 200, frameAncestors = [] } = options;
      void reply
        .code(status)
        .type('text/html; charset=utf-8')
        .header('content-security-policy', toContentSecurityPolicy(frameAncestors))
        .header('x-content-type-options', 'nosniff')
        .header('referrer-policy', 'same-origin')
        .header('cross-origin-opener-policy', 'same-origin')
        .header('permissions-policy', 'camera=(), geolocation=(), microphone=()')
        // A copy that a browser shows again by itself, as after "back", would have old figures and an old clock.
        .header('cache-control', 'no-store');
      addVary(reply, 'Accept', 'Accept-Language', 'Accept-Encoding', 'Cookie');
      const asked = toAsked(request, options);
      const wanted = { name, props, options };
      const nowMs = Math.round(site.now());
      if (options.shared !== true) return sendPacked(request, reply, toHtml(asked, nowMs, wanted));
      // Texts such as a countdown tell whole seconds.
      const key = JSON.stringify([Math.floor(nowMs / 1_000), asked, wanted]);
      const page = pages.find(key, () => toHtml(asked, nowMs, wanted));
      const values = { nowMs, formKey: makeFormKey() };
      if (!takesGzip(request)) return reply.send(page.plain(values));
      return reply.header('content-encoding', 'gzip').send(page.packed(values));
    },
  };
}

function takesGzip({ headers }: FastifyRequest): boolean {
  const accepted = headers['accept-encoding'];
  return accepted !== undefined && qualityOf(accepted, (range) => range === 'gzip') > 0;
}

function sendPacked(request: FastifyRequest, reply: FastifyReply, html: string): FastifyReply {
  if (html.length < packedBytesMin || !takesGzip(request)) return reply.send(html);
  return reply.header('content-encoding', 'gzip').send(gzipSync(html, { level: packingLevel }));
}

function addVary(reply: FastifyReply, ...names: string[]): void {
  void reply.header('vary', [reply.getHeader('vary') ?? [], ...names].flat().join(', '));
}
