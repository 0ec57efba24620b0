/** The vote page of the contract `duel`, as HTML. It needs no script and loads one style sheet. */
import { escapeHtml } from '../pages/document.ts';
import type { PageAssets } from '../pages/renderer.ts';
import { crossedBox, sizeOf, toDuelDocument, toDuelHeading } from './duel-document.ts';
import { duelSlug, toDuelNames, toDuelTitle, type DuelNames } from './duel-poll.ts';
import type { Poll } from '../poll/poll.ts';

export type DuelChoice = 'a' | 'b';
export type DuelNotice = { readonly title: string; readonly detail: string };

export type DuelSite = {
  /** The name of the machine that answers. */
  readonly hostname: string;
  readonly assetsOf: (name: string) => PageAssets;
  /** Scripts for whoever works on the pages. */
  readonly scripts: readonly string[];
};

export type DuelPages = {
  /** The page with the choice marked, or with none. Equally long in bytes, whatever is marked. */
  shown(poll: Poll, choice: DuelChoice | null): Buffer;
  refused(poll: Poll, notice: DuelNotice): string;
};

/** There are three pages to show, and they change only with the poll: each is made once. */
export function createDuelPages(site: DuelSite): DuelPages {
  let made: { readonly poll: Poll; readonly pages: Readonly<Record<DuelChoice | 'none', Buffer>> } | null = null;
  return {
    shown(poll, choice) {
      if (made?.poll !== poll) made = { poll, pages: toShownPages(site, toDuelNames(poll)) };
      return made.pages[choice ?? 'none'];
    },
    refused: (poll, notice) => toVotePage(site, toDuelNames(poll), null, notice),
  };
}

function toShownPages(site: DuelSite, names: DuelNames): Record<DuelChoice | 'none', Buffer> {
  const [none, a, b] = ([null, 'a', 'b'] as const).map((choice) => toVotePage(site, names, choice, null));
  const texts = { none: none ?? '', a: a ?? '', b: b ?? '' };
  const bytesMax = Math.max(...Object.values(texts).map((text) => Buffer.byteLength(text)));
  const pad = (text: string): Buffer => Buffer.from(text + ' '.repeat(bytesMax - Buffer.byteLength(text)));
  return { none: pad(texts.none), a: pad(texts.a), b: pad(texts.b) };
}

function toVotePage(site: DuelSite, names: DuelNames, choice: DuelChoice | null, notice: DuelNotice | null): string {
  const body = `<main class="${sizeOf(names)}">
${toDuelHeading(names)}
${notice === null ? '' : toNotice(notice)}<form id="choice" method="POST" action="/">
${toButton('a', names.a, choice)}
${toButton('b', names.b, choice)}
</form>
<footer>
<p id="tip">(Tip: you can change your vote)</p>
<p><a href="/p/${duelSlug}/results">Results</a></p>
<p id="hostname">Processed by ${escapeHtml(site.hostname)}</p>
</footer>
</main>`;
  const { assetsOf, scripts } = site;
  return toDuelDocument({ name: 'duel-vote', title: toDuelTitle(names), assets: assetsOf('duel-vote'), scripts, body });
}

function toButton(id: DuelChoice, name: string, choice: DuelChoice | null): string {
  const chosen = choice === id;
  const word = chosen ? 'Your vote' : choice === null ? 'Vote' : 'Change to this';
  return `<button id="${id}" type="submit" name="vote" value="${id}"${chosen ? ' class="chosen"' : ''}>
${crossedBox}
<span class="name"><bdi>${escapeHtml(name)}</bdi></span>
<span class="word">${word}</span>
</button>`;
}

function toNotice({ title, detail }: DuelNotice): string {
  return `<div class="notice bad" role="alert"><b>${escapeHtml(title)}</b><p>${escapeHtml(detail)}</p></div>
`;
}
