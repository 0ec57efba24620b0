/** Renders a page on the server. Built into dist/render/render.js; the server knows nothing of this folder but `renderPage`. */
import { renderToString } from 'preact-render-to-string';
import type { Language, PageName, PageProps, PageSetting } from '../protocol/pages.ts';
import { homePage } from './home/page.tsx';
import { joinPage } from './join/page.tsx';
import { leaderboardPage } from './leaderboard/page.tsx';
import { managePage } from './manage/page.tsx';
import { SurroundingProvider, type Page, type PageTexts } from './parts/page.tsx';
import { presentPage } from './present/page.tsx';
import { problemPage } from './problem/page.tsx';
import { receiptPage } from './receipt/page.tsx';
import { resultsPage } from './results/page.tsx';
import { de } from './texts/de.ts';
import { en, type Catalogue } from './texts/en.ts';
import { votePage } from './vote/page.tsx';

const pages: { readonly [Name in PageName]: Page<Name> } = {
  home: homePage,
  join: joinPage,
  vote: votePage,
  results: resultsPage,
  present: presentPage,
  manage: managePage,
  leaderboard: leaderboardPage,
  receipt: receiptPage,
  problem: problemPage,
};

const catalogues: Readonly<Record<Language, Catalogue>> = { en, de };

export type RenderedPage = {
  readonly title: string;
  readonly description: string;
  /** What goes into `#page`. */
  readonly html: string;
  /** What the page's script needs: JSON. */
  readonly data: string;
};

export function renderPage<Name extends PageName>(
  name: Name,
  props: PageProps[Name],
  setting: PageSetting,
): RenderedPage {
  const page: Page<Name> = pages[name];
  const { View } = page;
  const catalogue = catalogues[setting.language];
  const texts = { common: catalogue.common, [name]: catalogue[name] } as PageTexts<Name>; // The section of the page's own name.
  return {
    title: page.title(props, texts),
    description: page.description(props, texts),
    html: renderToString(
      <SurroundingProvider value={{ setting, texts }}>
        <View {...props} />
      </SurroundingProvider>,
    ),
    data: JSON.stringify({ setting, props, texts }),
  };
}
