import type { PageProps } from '../../protocol/pages.ts';
import { JoinForm } from '../parts/join-form.tsx';
import { useTexts, type Page, type PageTexts } from '../parts/page.tsx';
import { TopBar } from '../parts/top-bar.tsx';

export const problemPage: Page<'problem'> = {
  name: 'problem',
  View: Problem,
  title: (props, texts) => toTitle(props, texts.problem),
  description: (_props, texts) => texts.problem.description,
};

/** What went wrong in the reader's language where the page has words for it, else as the server says it. */
function Problem(props: PageProps['problem']) {
  const texts = useTexts('problem');
  const { status, detail } = props;
  return (
    <>
      <TopBar />
      <main id="main">
        <h1>{toTitle(props, texts)}</h1>
        <p>{status === 404 ? texts.absentHint : status >= 500 ? texts.busyHint : detail}</p>
        {status === 404 ? <JoinForm texts={texts} code="" /> : null}
        <p>
          <a href="/">{texts.home}</a>
        </p>
      </main>
    </>
  );
}

function toTitle({ status, code }: PageProps['problem'], texts: PageTexts<'problem'>['problem']): string {
  if (code === 'poll_not_found') return texts.absentPoll;
  if (status === 404) return texts.absent;
  return status >= 500 ? texts.busy : texts.refused;
}
