import type { PageProps } from '../../protocol/pages.ts';
import { useTexts, type Page } from '../parts/page.tsx';
import { TopBar } from '../parts/top-bar.tsx';

export const managePage: Page<'manage'> = {
  name: 'manage',
  View: Manage,
  title: (_props, texts) => texts.manage.title,
  description: (_props, texts) => texts.manage.title,
};

function Manage(_props: PageProps['manage']) {
  const texts = useTexts('manage');
  return (
    <>
      <TopBar />
      <main id="main">
        <h1>{texts.title}</h1>
      </main>
    </>
  );
}
