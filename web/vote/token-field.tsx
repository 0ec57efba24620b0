/** Where a voter pastes the token of polls that ask for one. */
import { useTexts } from '../parts/page.tsx';

type TokenFieldProps = {
  readonly token: string;
  readonly setToken: (token: string) => void;
  readonly disabled: boolean;
};

export function TokenField({ token, setToken, disabled }: TokenFieldProps) {
  const texts = useTexts('vote');
  return (
    <div class="user-id">
      <label for="token">{texts.token}</label>
      <input
        class="field"
        id="token"
        name="token"
        type="password"
        autocomplete="off"
        value={token}
        disabled={disabled}
        aria-describedby="token-hint"
        onInput={(event) => setToken(event.currentTarget.value)}
      />
      <small class="muted" id="token-hint">
        {texts.tokenHint}
      </small>
    </div>
  );
}
