/** The results page of the contract `duel`, as HTML: what it shows stands in it from the first byte, and its script keeps it up to date. */
import { toDuelSides, toTotalText, type DuelScores, type DuelSide } from '../../protocol/duel.ts';
import { escapeHtml } from '../pages/document.ts';
import type { PageAssets } from '../pages/renderer.ts';
import { sizeOf, toDuelDocument, toDuelHeading } from './duel-document.ts';
import { toDuelTitle, type DuelNames } from './duel-poll.ts';

export type ResultsSite = { readonly assetsOf: (name: string) => PageAssets; readonly scripts: readonly string[] };

const socketIoClient = '/socket.io/socket.io.min.js';

/** `scores` is null where the poll hides its results. */
export function toDuelResultsPage(site: ResultsSite, names: DuelNames, scores: DuelScores | null): string {
  const assets = site.assetsOf('duel-results');
  const body = `<main class="${sizeOf(names)}">
<header>
${toDuelHeading(names)}
<p id="live" class="waiting" hidden><span class="dot"></span><span id="live-word">Connecting…</span></p>
</header>
<div id="duel">
${toSides(scores)
  .map((side) => toPanel(side, names[side.side]))
  .join('\n')}
</div>
<p id="result" class="num">${scores === null ? 'The results are hidden' : toTotalText(scores)}</p>
<p id="summary" class="visually-hidden" role="status"></p>
</main>`;
  return toDuelDocument({
    name: 'duel-results',
    title: `${toDuelTitle(names)} · Results`,
    assets,
    scripts: [...(assets.script === null ? [] : [assets.script]), ...site.scripts],
    body,
    classicScripts: [socketIoClient],
  });
}

/** Of hidden results not even a zero is shown. */
function toSides(scores: DuelScores | null): DuelSide[] {
  if (scores !== null) return toDuelSides(scores);
  return toDuelSides({ a: 0, b: 0 }).map((side) => ({ ...side, share: '–', votes: '' }));
}

function toPanel({ side, share, votes, clip, leads, standing }: DuelSide, name: string): string {
  return `<section id="${side}" class="side${leads ? ' lead' : ''}" aria-labelledby="name-${side}">
<h2 id="name-${side}"><bdi>${escapeHtml(name)}</bdi></h2>
<p class="share num">${share}</p>
<svg class="bar" aria-hidden="true"><rect class="track" width="100%" height="100%" rx="8"/><rect class="fill" width="100%" height="100%" clip-path="${clip}"/></svg>
<p class="count"><span class="votes num">${votes}</span> <span class="standing">${standing}</span></p>
</section>`;
}
