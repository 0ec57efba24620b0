/** What the two pages of the contract `duel` share: the document around them, and the headers that keep them safe. */
import type { FastifyReply } from 'fastify';
import { toContentSecurityPolicy } from '../pages/content-security-policy.ts';
import { escapeHtml } from '../pages/document.ts';
import type { PageAssets } from '../pages/renderer.ts';
import { toDuelTitle, type DuelNames } from './duel-poll.ts';

export type DuelDocument = {
  /** Of the page, for its style sheet. */
  readonly name: string;
  readonly title: string;
  readonly assets: Pick<PageAssets, 'styles'>;
  /** Modules. They run once the page is read. */
  readonly scripts: readonly string[];
  /** Scripts that set global names, run before the modules. */
  readonly classicScripts?: readonly string[];
  /** Already safe. */
  readonly body: string;
};

export function toDuelDocument({ name, title, assets, scripts, classicScripts = [], body }: DuelDocument): string {
  return `<!doctype html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<title>${escapeHtml(title)}</title>
<meta name="theme-color" content="#fbfaf6" media="(prefers-color-scheme: light)">
<meta name="theme-color" content="#0f172a" media="(prefers-color-scheme: dark)">
<meta name="robots" content="noindex">
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
${[
  ...assets.styles.map((href) => `<link rel="stylesheet" href="${href}">`),
  ...classicScripts.map((src) => `<script defer src="${src}"></script>`),
  ...scripts.map((src) => `<script type="module" src="${src}"></script>`),
].join('\n')}
</head>
<body class="page-${name}">
${body}
</body>
</html>
`;
}

/** The same words as the title, each name in the direction of its own letters. */
export function toDuelHeading(names: DuelNames): string {
  const marked = { a: `<bdi>${escapeHtml(names.a)}</bdi>`, b: `<bdi>${escapeHtml(names.b)}</bdi>` };
  return `<h1>${toDuelTitle(marked)}</h1>`;
}

/** Names that are too long for big letters are set smaller. */
export function sizeOf({ a, b }: DuelNames): 'short' | 'long' | 'very-long' {
  const length = Math.max(a.length, b.length);
  if (length <= 16) return 'short';
  return length <= 60 ? 'long' : 'very-long';
}

/** The crossed box of the house; without its cross it waits for one. */
export const crossedBox = `<svg class="box" viewBox="0 0 26 26" aria-hidden="true"><rect x="1.5" y="1.5" width="23" height="23" rx="4.5"/><path d="M7.6 7.2 18.4 18.8M18.6 7 7.4 19"/></svg>`;

/** Never packed: the length of the page must not tell voters apart. */
export function sendDocument(reply: FastifyReply, status: number, html: string | Buffer): FastifyReply {
  return reply
    .code(status)
    .type('text/html; charset=utf-8')
    .header('content-security-policy', toContentSecurityPolicy([]))
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'same-origin')
    .header('permissions-policy', 'camera=(), geolocation=(), microphone=()')
    .header('cache-control', status === 200 ? 'private, no-cache' : 'no-store')
    .send(html);
}
