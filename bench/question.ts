/** A question about speed: a function that measures and answers with figures. */
import type { Figure } from './pairs.ts';

export type BenchOptions = { readonly pairs: number; readonly seconds: number; readonly connections: number };
export type Question = (options: BenchOptions) => Promise<Figure[]>;
