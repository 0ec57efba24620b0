import type { PageProps } from '../../protocol/pages.ts';
import { useTexts, type Page } from '../parts/page.tsx';
import { TopBar } from '../parts/top-bar.tsx';
import { CreateForm } from './create-form.tsx';
import { OpenPolls } from './open-polls.tsx';

export const homePage: Page<'home'> = {
  name: 'home',
  View: Home,
  title: (_props, texts) => `${texts.common.product} · ${texts.home.title}`,
  description: (_props, texts) => texts.home.description,
};

function Home({ polls, ...form }: PageProps['home']) {
  const texts = useTexts('home');
  const common = useTexts('common');
  return (
    <>
      <TopBar>
        <a href="/join">{common.joinWithCode}</a>
        <a href="/leaderboard">{common.leaderboard}</a>
        <a href="/docs">{texts.api}</a>
      </TopBar>
      <main id="main">
        <h1>{texts.title}</h1>
        <CreateForm {...form} />
        <OpenPolls polls={polls} />
      </main>
    </>
  );
}
