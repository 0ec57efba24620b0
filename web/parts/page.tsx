/** What a page is: a view of its props, and a title for the window. And how the views reach the texts. */
import { createContext, type ComponentType } from 'preact';
import { useContext } from 'preact/hooks';
import type { PageName, PageProps, PageSetting } from '../../protocol/pages.ts';
import type { Catalogue } from '../texts/en.ts';

/** The texts that one page gets: the common ones and its own. */
export type PageTexts<Name extends PageName> = { readonly common: Catalogue['common'] } & Pick<Catalogue, Name>;

export type Page<Name extends PageName> = {
  readonly name: Name;
  readonly View: ComponentType<PageProps[Name]>;
  readonly title: (props: PageProps[Name], texts: PageTexts<Name>) => string;
  /** One sentence for search engines and link previews. */
  readonly description: (props: PageProps[Name], texts: PageTexts<Name>) => string;
};

/** What the server leaves in the page for its script. */
export type PageData<Name extends PageName> = {
  readonly setting: PageSetting;
  readonly props: PageProps[Name];
  readonly texts: PageTexts<Name>;
};

type Surroundings = { readonly setting: PageSetting; readonly texts: Partial<Catalogue> };

const Surrounding = createContext<Surroundings | null>(null);
export const SurroundingProvider = Surrounding.Provider;

export function useSetting(): PageSetting {
  return useSurroundings().setting;
}

/** The texts of one section. The page that is shown must have it: its own, or `common`. */
export function useTexts<Section extends keyof Catalogue>(section: Section): Catalogue[Section] {
  const texts = useSurroundings().texts[section];
  if (texts === undefined) throw new Error(`This page has no texts for ${section}.`);
  return texts;
}

function useSurroundings(): Surroundings {
  const surroundings = useContext(Surrounding);
  if (surroundings === null) throw new Error('A part was rendered outside of a page.');
  return surroundings;
}
