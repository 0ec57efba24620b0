import type { PageProps } from '../../protocol/pages.ts';
import { JoinForm } from '../parts/join-form.tsx';
import { useTexts, type Page } from '../parts/page.tsx';
import { TopBar } from '../parts/top-bar.tsx';
import { fill } from '../texts/wording.ts';

export const joinPage: Page<'join'> = {
  name: 'join',
  View: Join,
  title: (_props, texts) => texts.join.title,
  description: (_props, texts) => texts.join.description,
};

function Join({ code, unknown }: PageProps['join']) {
  const texts = useTexts('join');
  return (
    <>
      <TopBar />
      <main id="main">
        <h1>{texts.title}</h1>
        <p>{texts.lead}</p>
        {unknown ? (
          <p class="notice bad" role="alert">
            {fill(texts.unknown, { code })}
          </p>
        ) : null}
        <JoinForm texts={texts} code={code} />
      </main>
    </>
  );
}
