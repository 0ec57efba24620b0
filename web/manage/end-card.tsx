/** Taking the results away, writing the poll anew, deleting it. */
import { useState } from 'preact/hooks';
import type { Poll } from '../../protocol/poll.ts';
import { duplicateName, forgetManaged } from '../parts/managed-polls.ts';
import { useTexts } from '../parts/page.tsx';
import { fill } from '../texts/wording.ts';
import type { Manager } from './manager.ts';

export function EndCard({ poll, manager }: { readonly poll: Poll; readonly manager: Manager }) {
  const texts = useTexts('manage');
  const exports = { csv: texts.exportCsv, json: texts.exportJson, ballots: texts.exportBallots };
  return (
    <details class="card panel">
      <summary>{texts.more}</summary>
      <div class="links">
        {Object.entries(exports).map(([format, name]) => (
          <a key={format} href={`/api/v1/polls/${poll.id}/export?format=${format}`} download>
            {name}
          </a>
        ))}
      </div>
      <button class="button quiet" onClick={() => duplicate(poll)}>
        {texts.duplicate}
      </button>
      <Deletion poll={poll} manager={manager} />
    </details>
  );
}

function duplicate(poll: Poll): void {
  try {
    sessionStorage.setItem(duplicateName, JSON.stringify(poll));
  } catch {
    // Without storage the form opens empty.
  }
  location.assign('/');
}

function Deletion({ poll, manager }: { readonly poll: Poll; readonly manager: Manager }) {
  const texts = useTexts('manage');
  const [typed, setTyped] = useState('');
  const [failure, setFailure] = useState<string | null>(null);

  async function remove(): Promise<void> {
    const removed = await manager.remove(typed);
    if ('refused' in removed) return setFailure(fill(texts.failed, { detail: removed.refused }));
    forgetManaged(poll.id);
    location.assign('/');
  }

  return (
    <form
      class="deletion"
      onSubmit={(event) => {
        event.preventDefault();
        if (typed === poll.question) void remove();
      }}
    >
      <h3>{texts.delete}</h3>
      <label>
        <span>{texts.deleteHint}</span>
        <input
          class="field"
          autocomplete="off"
          placeholder={poll.question}
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </label>
      {failure === null ? null : (
        <p class="notice bad" role="alert">
          {failure}
        </p>
      )}
      <button class="button danger" disabled={typed !== poll.question}>
        {texts.deleteConfirm}
      </button>
    </form>
  );
}
