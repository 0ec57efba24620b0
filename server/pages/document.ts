/** The HTML document around a rendered page. */
import type { Language } from '../../protocol/pages.ts';
import type { PageAssets, RenderedPage } from './renderer.ts';

export type DocumentParts = {
  readonly name: string;
  readonly language: Language;
  readonly page: RenderedPage;
  readonly assets: PageAssets;
  /** The address of the page itself, absolute. */
  readonly url: string;
  /** The picture for link previews, absolute; null where there is none. */
  readonly pictureUrl: string | null;
  /** Whether search engines may list the page. */
  readonly listed: boolean;
  /** Pages reload when the server was started anew. */
  readonly development: boolean;
};

/** Pages that are shown on a projector are dark whatever the system says. */
const darkPages = new Set(['present']);

export function toDocument({ name, language, page, assets, ...rest }: DocumentParts): string {
  const theme = darkPages.has(name) ? ' data-theme="dark"' : '';
  const scripts = [...(assets.script === null ? [] : [assets.script]), ...(rest.development ? ['/dev-reload.js'] : [])];
  return `<!doctype html>
<html lang="${language}" dir="ltr"${theme}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<title>${escapeHtml(page.title)}</title>
<meta name="description" content="${escapeHtml(page.description)}">
<meta name="theme-color" content="#fbfaf6" media="(prefers-color-scheme: light)">
<meta name="theme-color" content="#0f172a" media="(prefers-color-scheme: dark)">
${toPreview(page, rest)}
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
${assets.styles.map((href) => `<link rel="stylesheet" href="${href}">`).join('\n')}
${assets.modules.map((href) => `<link rel="modulepreload" href="${href}">`).join('\n')}
${scripts.map((src) => `<script type="module" src="${src}"></script>`).join('\n')}
</head>
<body class="page-${name}">
<div id="page">${page.html}</div>
<script type="application/json" id="data">${escapeJson(page.data)}</script>
</body>
</html>
`;
}

/** What other sites show of a link to the page (https://ogp.me). */
function toPreview(
  { title, description }: RenderedPage,
  { url, pictureUrl, listed }: Pick<DocumentParts, 'url' | 'pictureUrl' | 'listed'>,
): string {
  const properties: [name: string, content: string][] = [
    ['og:type', 'website'],
    ['og:site_name', 'Hustings'],
    ['og:title', title],
    ['og:description', description],
    ['og:url', url],
  ];
  const picture: typeof properties =
    pictureUrl === null
      ? []
      : [
          ['og:image', pictureUrl],
          ['og:image:width', '1200'],
          ['og:image:height', '630'],
          ['og:image:alt', title],
        ];
  return [
    ...[...properties, ...picture].map(
      ([property, content]) => `<meta property="${property}" content="${escapeHtml(content)}">`,
    ),
    `<meta name="twitter:card" content="${pictureUrl === null ? 'summary' : 'summary_large_image'}">`,
    `<link rel="canonical" href="${escapeHtml(url)}">`,
    ...(listed ? [] : ['<meta name="robots" content="noindex">']),
  ].join('\n');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For text between tags and in attributes with double quotes. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/gu, (character) => entities[character] ?? character);
}

/** Nothing in JSON can end the element that holds it, or open a comment in it. */
function escapeJson(json: string): string {
  return json.replaceAll('<', String.raw`\u003c`);
}
