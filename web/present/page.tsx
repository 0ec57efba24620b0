import { useRef } from 'preact/hooks';
import type { PageProps } from '../../protocol/pages.ts';
import type { Page } from '../parts/page.tsx';
import { fill } from '../texts/wording.ts';
import { Presenter } from './presenter.tsx';
import { useDeck } from './use-deck.ts';
import { useKeySetting } from './use-keys.ts';
import type { Wishes } from './use-results-on-screen.ts';
import { useWakeLock } from './use-screen.ts';

export const presentPage: Page<'present'> = {
  name: 'present',
  View: Present,
  title: ({ poll }, texts) => fill(texts.present.windowTitle, { question: poll.question }),
  description: ({ poll }, texts) => fill(texts.present.description, { question: poll.question }),
};

/** The poll on the screen is replaced as a whole by the next one; what the person has set stays. */
function Present(initial: PageProps['present']) {
  const deck = useDeck(initial);
  const keys = useKeySetting();
  const wishes = useRef<Wishes>(new Map());
  useWakeLock();
  return <Presenter key={deck.props.poll.id} deck={deck} keys={keys} wishes={wishes.current} />;
}
