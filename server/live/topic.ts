/** Something that is followed: the hub looks at it on each tick until nobody follows it any more. */
export type Topic = {
  /** Tells the followers what has changed. `pulsing`: whether changes that no ballot causes may be told now. */
  tick(pulsing: boolean): void;
  empty(): boolean;
};
