import { useEffect, useMemo, useState } from 'preact/hooks';
import type { PageProps } from '../../protocol/pages.ts';
import type { Tally } from '../../protocol/tally.ts';
import { useTexts, type Page } from '../parts/page.tsx';
import { TopBar } from '../parts/top-bar.tsx';
import { rememberManaged } from '../parts/managed-polls.ts';
import { fill } from '../texts/wording.ts';
import { Desk } from './desk.tsx';
import { createManager, findManageKey } from './manager.ts';

export const managePage: Page<'manage'> = {
  name: 'manage',
  View: Manage,
  title: ({ poll }, texts) => fill(texts.manage.windowTitle, { question: poll.question }),
  description: (_props, texts) => texts.manage.description,
};

type Lock = 'locked' | 'checking' | 'wrong' | 'open';

function Manage(props: PageProps['manage']) {
  const common = useTexts('common');
  const texts = useTexts('manage');
  const { poll } = props;
  const manager = useMemo(() => createManager(poll.id, texts), [poll.id, texts]);
  const [lock, setLock] = useState<Lock>(props.manager ? 'open' : 'locked');
  const [tally, setTally] = useState<Tally | null>(props.tally);

  async function unlock(text: string): Promise<void> {
    const key = findManageKey(text);
    if (key === null) return setLock('wrong');
    setLock('checking');
    const unlocked = await manager.unlock(key);
    if ('refused' in unlocked) return setLock('wrong');
    const read = await manager.tally();
    setTally('value' in read ? read.value : null);
    setLock('open');
  }

  useEffect(() => {
    // The key stays in the fragment: it can be bookmarked, and is sent nowhere but in exchange for the cookie.
    if (!props.manager && findManageKey(location.hash) !== null) void unlock(location.hash);
  }, []);
  useEffect(() => {
    if (lock === 'open') rememberManaged(poll);
  }, [lock]);

  return (
    <>
      <TopBar>
        <a href={`/p/${poll.slug}`}>{common.vote}</a>
        <a href={`/p/${poll.slug}/results`}>{common.results}</a>
        <a class="primary" href={`/p/${poll.slug}/present`}>
          {texts.present}
        </a>
      </TopBar>
      <main id="main">
        {lock === 'open' ? (
          <Desk first={{ poll, tally }} manager={manager} />
        ) : (
          <>
            <h1 dir="auto">{poll.question}</h1>
            <Locked lock={lock} onKey={(text) => void unlock(text)} />
          </>
        )}
      </main>
    </>
  );
}

function Locked({ lock, onKey }: { readonly lock: Exclude<Lock, 'open'>; readonly onKey: (text: string) => void }) {
  const texts = useTexts('manage');
  const [text, setText] = useState('');
  return (
    <section class="card panel locked">
      <h2>{texts.locked}</h2>
      <p>{texts.lockedHint}</p>
      <noscript>
        <p>{texts.noScript}</p>
      </noscript>
      {lock === 'wrong' ? (
        <p class="notice bad" role="alert">
          {texts.wrongKey}
        </p>
      ) : null}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onKey(text);
        }}
      >
        <label>
          <span>{texts.key}</span>
          {/* No name: a form without a script must not carry the key into an address. */}
          <input
            class="field"
            type="password"
            autocomplete="off"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <button class="button" aria-disabled={lock === 'checking'}>
          {lock === 'checking' ? texts.unlocking : texts.unlock}
        </button>
      </form>
    </section>
  );
}
