/** Brings a page that the server has rendered to life. */
import { hydrate } from 'preact';
import type { PageName } from '../../protocol/pages.ts';
import { SurroundingProvider, type Page, type PageData } from './page.tsx';

export function startPage<Name extends PageName>({ View }: Page<Name>): void {
  const root = document.querySelector('#page');
  const data = document.querySelector('#data')?.textContent;
  if (root === null || data === undefined || data === null) throw new Error('This is not a page of ours.');
  const { setting, texts, props } = JSON.parse(data) as PageData<Name>; // Written by our own server for this very page.
  hydrate(
    <SurroundingProvider value={{ setting, texts }}>
      <View {...props} />
    </SurroundingProvider>,
    root,
  );
  document.documentElement.dataset['live'] = 'true';
}
