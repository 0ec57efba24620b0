import type { Frame } from './frame.ts';

/** Something that is followed: the hub looks at it on each tick until nobody follows it any more. */
export type Topic = {
  /** Tells the followers what has changed. `pulsing`: whether changes that no ballot causes may be told now. */
  tick(pulsing: boolean): void;
  empty(): boolean;
  /** Sends the followers a last frame and forgets them. */
  end?(last: Frame): void;
};
