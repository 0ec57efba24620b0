/** Stepping from poll to poll without leaving the page, because a browser that loads another page leaves full screen too. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { PageProps } from '../../protocol/pages.ts';
import type { PageData } from '../parts/page.tsx';
import { parseManaged, toNeighbours, type Neighbours } from './deck.ts';

const managedStoredAs = 'hustings.managed';

export type Direction = keyof Neighbours;

export type Deck = {
  readonly props: PageProps['present'];
  readonly neighbours: Neighbours;
  /** The way that led to the poll that is shown; null at first. */
  readonly direction: Direction | null;
  /** Whether there is a poll that way. */
  step(direction: Direction): boolean;
};

export function presentPath(slug: string): string {
  return `/p/${encodeURIComponent(slug)}/present`;
}

export function useDeck(initial: PageProps['present']): Deck {
  const [shown, setShown] = useState<{ readonly props: PageProps['present']; readonly direction: Direction | null }>({
    props: initial,
    direction: null,
  });
  const [managed, setManaged] = useState<readonly string[]>([]);
  const [gone, setGone] = useState<ReadonlySet<string>>(new Set());
  const loading = useRef(false);
  const { props } = shown;
  const neighboursWithout = (lost: ReadonlySet<string>): Neighbours =>
    toNeighbours(props.poll.slug, props.deck, managed, lost);

  /** Polls that were deleted are stepped over. */
  async function go(direction: Direction): Promise<void> {
    const lost = new Set(gone);
    for (let slug = neighboursWithout(lost)[direction]; slug !== null; slug = neighboursWithout(lost)[direction]) {
      const path = presentPath(slug);
      const loaded = await loadPage(path);
      if (loaded === 'failed') return location.assign(path);
      if (loaded !== 'gone') {
        history.pushState(null, '', path);
        document.title = loaded.title;
        setShown({ props: loaded.props, direction });
        break;
      }
      lost.add(slug);
    }
    setGone(lost);
  }

  useEffect(() => setManaged(parseManaged(localStorage.getItem(managedStoredAs))), []);
  useEffect(() => {
    // The address of another poll, by the browser's own back and forward.
    const onBack = (): void => location.reload();
    globalThis.addEventListener('popstate', onBack);
    return () => globalThis.removeEventListener('popstate', onBack);
  }, []);

  return {
    ...shown,
    neighbours: neighboursWithout(gone),
    step(direction) {
      if (neighboursWithout(gone)[direction] === null) return false;
      if (!loading.current) {
        loading.current = true;
        void go(direction).finally(() => {
          loading.current = false;
        });
      }
      return true;
    },
  };
}

type LoadedPage = { readonly title: string; readonly props: PageProps['present'] };

/** The page of another poll, for what its script would get. */
async function loadPage(path: string): Promise<LoadedPage | 'gone' | 'failed'> {
  try {
    const answer = await fetch(path, { headers: { accept: 'text/html' } });
    if (answer.status === 404) return 'gone';
    if (!answer.ok) return 'failed';
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const data = JSON.parse(page.querySelector('#data')?.textContent ?? '') as PageData<'present'>; // Made by our own server for this very page.
    return { title: page.title, props: data.props };
  } catch {
    // No network, or no page of ours: the browser itself is to say so.
    return 'failed';
  }
}
