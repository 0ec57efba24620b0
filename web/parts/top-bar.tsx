/** The line at the top of every page: the mark, and where else to go. */
import type { ComponentChildren } from 'preact';
import { Mark } from './mark.tsx';
import { useTexts } from './page.tsx';

export function TopBar({ children }: { readonly children?: ComponentChildren }) {
  const texts = useTexts('common');
  return (
    <header class="top">
      <a class="skip" href="#main">
        {texts.skipToContent}
      </a>
      <a class="home" href="/">
        <Mark />
        {texts.product}
      </a>
      <nav aria-label={texts.navigation}>{children}</nav>
    </header>
  );
}
