/** The screen for those who are still to come in: the code as large as it gets. */
import { useTexts } from '../parts/page.tsx';
import { fill } from '../texts/wording.ts';
import { CodeTile, toSpacedCode, Turnout, useJoinAddress } from './join-panel.tsx';
import type { Scene } from './scene.ts';
import { Question } from './stage-view.tsx';

export function JoinScreen({ scene }: { readonly scene: Scene }) {
  const texts = useTexts('present');
  const { poll, online } = scene;
  const address = useJoinAddress();
  return (
    <main id="main" class="stage joining">
      <div class="tile">
        <CodeTile poll={poll} />
      </div>
      <div class="how">
        <Question poll={poll} />
        <p class="address">{fill(texts.joinAt, { address })}</p>
        <p class="code">{toSpacedCode(poll.joinCode)}</p>
        <Turnout total={null} online={online} />
      </div>
    </main>
  );
}
