/** Every text of the pages in German. */
import { common } from './de/every-page.ts';
import { home } from './de/home.ts';
import { join } from './de/join.ts';
import { vote } from './de/vote.ts';
import { results } from './de/results.ts';
import { present } from './de/present.ts';
import { manage } from './de/manage.ts';
import { leaderboard } from './de/leaderboard.ts';
import { receipt } from './de/receipt.ts';
import { problem } from './de/problem.ts';
import type { Catalogue } from './en.ts';

export const de: Catalogue = { common, home, join, vote, results, present, manage, leaderboard, receipt, problem };
