/**
 * Somebody who gets frames over one connection, and the one rule for those who do not read: while more than `fullBytes` wait for
 * the network, frames for the connection are left out, and the hub brings it up to date with the latest state once it has drained. A connection
 * that stays full for `fullMsMax`, or holds `backlogBytesMax`, is ended. So one that never reads costs a bounded amount, and delays nobody.
 */
import type { CloseCode } from '../../protocol/close-codes.ts';
import type { Frame } from './frame.ts';

export type Subscriber = {
  /** Sends one frame. Never waits. */
  send(frame: Frame): void;
  /** Whether frames are to be left out for now. */
  full(): boolean;
};

export const fullBytes = 64 * 1024;
export const backlogBytesMax = 1024 * 1024;
export const fullMsMax = 10_000;

/** A subscriber's connection, as its keeper sees it. */
export type Connection = Subscriber & {
  /** Bytes that wait for the network. */
  backlogBytes(): number;
  /** How many frames were sent so far. */
  sentCount(): number;
  /** Asks the other side for a sign of life, where the transport can. Answers whether it gave one since the last call. */
  probe(): boolean;
  end(reason: CloseCode): void;
};
