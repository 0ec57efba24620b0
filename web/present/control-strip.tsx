/** The strip at the foot of the projector page: how the poll stands, and a button for everything that a key does. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Poll } from '../../protocol/poll.ts';
import { useTexts } from '../parts/page.tsx';
import { StatusChip } from '../parts/status-chip.tsx';
import type { Neighbours } from './deck.ts';
import type { Command } from './keys.ts';
import { votingStepOf } from './stage.ts';
import { presentPath, type Direction } from './use-deck.ts';
import type { FullScreen } from './use-screen.ts';

export type ControlStripProps = {
  readonly poll: Poll;
  readonly manager: boolean;
  readonly neighbours: Neighbours;
  /** The way that led here: its control gets the focus back. */
  readonly cameBy: Direction | null;
  /** null: there is nothing to show or hide. */
  readonly resultsShown: boolean | null;
  readonly joinShown: boolean;
  readonly fullScreen: FullScreen;
  readonly keysOn: boolean;
  readonly leaveTo: string;
  readonly onCommand: (command: Command) => void;
};

export function ControlStrip(props: ControlStripProps) {
  const texts = useTexts('present');
  return (
    <footer class="strip">
      <StatusChip poll={props.poll} />
      <div class="controls" role="group" aria-label={texts.controls}>
        <Steps {...props} />
        <Toggles {...props} />
      </div>
    </footer>
  );
}

function Steps({ neighbours, cameBy, keysOn, onCommand }: ControlStripProps) {
  const texts = useTexts('present');
  const focused = useRef<HTMLAnchorElement>(null);
  useEffect(() => focused.current?.focus({ preventScroll: true }), []);
  return (['previous', 'next'] as const).map((direction) => {
    const slug = neighbours[direction];
    if (slug === null) return null;
    return (
      <a
        key={direction}
        class="control"
        href={presentPath(slug)}
        rel={direction === 'next' ? 'next' : 'prev'}
        ref={cameBy === direction ? focused : null}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          onCommand(direction);
        }}
      >
        {keysOn ? <kbd aria-hidden="true">{texts.keys.names[direction]}</kbd> : null}
        {texts[direction]}
        <span class="visually-hidden"> {texts.poll}</span>
      </a>
    );
  });
}

function Toggles(props: ControlStripProps) {
  const texts = useTexts('present');
  const { poll, manager, resultsShown, joinShown, fullScreen, keysOn, leaveTo, onCommand } = props;
  const step = manager ? votingStepOf(poll.status) : null;
  const openWords = poll.status === 'paused' ? texts.resume : texts.open;
  const shared = { keysOn, onCommand };
  return (
    <>
      {step === null ? null : (
        <Control {...shared} command="toggle_voting" legend={texts.keys.names.space} shortcut="Space">
          {step === 'open' ? openWords : texts.close}
        </Control>
      )}
      {resultsShown === null ? null : (
        <Control {...shared} command="toggle_results" legend="R" shortcut="R">
          {resultsShown ? texts.resultsOff : texts.resultsOn}
        </Control>
      )}
      <Control {...shared} command="toggle_join" legend="Q" shortcut="Q">
        {joinShown ? texts.joinOff : texts.joinOn}
      </Control>
      {fullScreen.possible ? (
        <Control {...shared} command="toggle_full_screen" legend="F" shortcut="F" pressed={fullScreen.on}>
          {texts.fullScreen}
        </Control>
      ) : null}
      <Control {...shared} command="help" legend="?" shortcut="?">
        {texts.help}
      </Control>
      <a class="control" href={leaveTo} aria-keyshortcuts={keysOn ? 'Escape' : undefined}>
        {keysOn ? <kbd aria-hidden="true">{texts.keys.names.escape}</kbd> : null}
        {texts.leave}
      </a>
    </>
  );
}

type ControlProps = {
  readonly command: Command;
  readonly legend: string;
  readonly shortcut: string;
  readonly pressed?: boolean;
  readonly keysOn: boolean;
  readonly onCommand: (command: Command) => void;
  readonly children: ComponentChildren;
};

function Control({ command, legend, shortcut, pressed, keysOn, onCommand, children }: ControlProps) {
  return (
    <button
      type="button"
      class="control needs-script"
      aria-keyshortcuts={keysOn ? shortcut : undefined}
      aria-pressed={pressed}
      onClick={(event) => {
        // After a click of the mouse the next press of Space is meant for the poll, not for this button again.
        if (event.detail > 0) event.currentTarget.blur();
        onCommand(command);
      }}
    >
      {keysOn ? <kbd aria-hidden="true">{legend}</kbd> : null}
      {children}
    </button>
  );
}
