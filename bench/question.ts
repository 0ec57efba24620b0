/** A question about speed: a function that measures and answers with figures. */
import type { BrokerName } from './bare-client-process.ts';
import type { Figure } from './pairs.ts';

export type BenchOptions = {
  readonly pairs: number;
  readonly seconds: number;
  readonly connections: number;
  /** Those that `logs` asks about. */
  readonly brokers: readonly BrokerName[];
};
export type Question = (options: BenchOptions) => Promise<Figure[]>;
