/** Everything that the preset `duel` adds to a server: its poll, its front page, and its second port. */
import type { Contract } from '../http/app.ts';
import type { HttpOptions, HttpParts } from '../http/parts.ts';
import type { PageRenderer } from '../pages/renderer.ts';
import { createDuelContract } from './duel.ts';
import { duelSlug, prepareDuelPoll, type DuelNames } from './duel-poll.ts';
import { startDuelResults, type DuelResults } from './duel-results.ts';

export type DuelOptions = {
  readonly names: DuelNames;
  readonly host: string;
  readonly resultsPort: number;
  /** The name of the machine, which the vote page shows. */
  readonly hostname: string;
  /** Pages reload when the server was started anew. */
  readonly development: boolean;
  readonly http: HttpOptions;
};

export type Duel = {
  readonly sample: { readonly slug: string; readonly manageKey: string | null };
  /** Takes `/`. */
  readonly contract: Contract;
  startResults(): Promise<DuelResults>;
};

export async function makeDuel(parts: HttpParts, renderer: PageRenderer, options: DuelOptions): Promise<Duel> {
  const { names, host, resultsPort, hostname, development, http } = options;
  const { manageKey } = await prepareDuelPoll(parts, names);
  const { assetsOf, assetFolder } = renderer;
  const scripts = development ? ['/dev-reload.js'] : [];
  return {
    sample: { slug: duelSlug, manageKey },
    contract: createDuelContract({ hostname, assetsOf, scripts }),
    startResults: () =>
      startDuelResults(parts, { assetsOf, assetFolder, scripts }, { ...http, host, port: resultsPort, development }),
  };
}
