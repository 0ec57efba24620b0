/** The field for a join code: a plain form, so that it needs no script. */
import type { Catalogue } from '../texts/en.ts';

const typedCharsMax = 20;

export function JoinForm({
  texts,
  code,
}: {
  readonly texts: Pick<Catalogue['join'], 'code' | 'hint' | 'go'>;
  readonly code: string;
}) {
  return (
    <form class="join" action="/join" method="get">
      <label>
        <span class="small muted">{texts.code}</span>
        <input
          class="field code"
          name="code"
          defaultValue={code}
          required
          maxLength={typedCharsMax}
          autocomplete="off"
          autocapitalize="characters"
          spellcheck={false}
          aria-describedby="join-hint"
        />
      </label>
      <p class="small muted" id="join-hint">
        {texts.hint}
      </p>
      <button class="button">{texts.go}</button>
    </form>
  );
}
