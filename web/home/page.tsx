import type { PageProps } from '../../protocol/pages.ts';
import { useTexts, type Page } from '../parts/page.tsx';
import { TopBar } from '../parts/top-bar.tsx';

export const homePage: Page<'home'> = {
  name: 'home',
  View: Home,
  title: (_props, texts) => texts.home.title,
  description: (_props, texts) => texts.home.title,
};

function Home(_props: PageProps['home']) {
  const texts = useTexts('home');
  return (
    <>
      <TopBar />
      <main id="main">
        <h1>{texts.title}</h1>
      </main>
    </>
  );
}
