/** The second server of the contract `duel`: the results page, live over Socket.IO, on a port of its own. */
import { createBareApp } from '../http/app.ts';
import type { HttpOptions, HttpParts } from '../http/parts.ts';
import { stopQuietly } from '../http/quiet-stop.ts';
import { registerServiceRoutes } from '../http/routes/service.ts';
import { createDevRoutes } from '../pages/dev-routes.ts';
import { registerStaticRoutes } from '../pages/static-routes.ts';
import { sendDocument } from './duel-document.ts';
import { duelSlug, findDuelPoll, toDuelNames } from './duel-poll.ts';
import { toDuelResultsPage, type ResultsSite } from './duel-results-page.ts';
import { createScoresSource, startScoresFeed } from './duel-scores.ts';

export type DuelResults = {
  /** The port that was asked for, or the one that the system chose for port 0. */
  readonly port: number;
  stop(): Promise<void>;
};

export type DuelResultsOptions = HttpOptions & {
  readonly host: string;
  readonly port: number;
  readonly development: boolean;
};

/** Starts to listen. @throws {Error} where the port is taken */
export async function startDuelResults(
  parts: HttpParts,
  site: ResultsSite & { readonly assetFolder: string },
  options: DuelResultsOptions,
): Promise<DuelResults> {
  const { app, requestCount, connections } = createBareApp(parts, options);
  const scores = createScoresSource(parts.results, () => parts.polls.peek(duelSlug));
  registerServiceRoutes(app, parts);
  await registerStaticRoutes(app, site);
  if (options.development) await createDevRoutes().register(app, parts);
  app.get('/', { schema: { hide: true } }, async (_request, reply) => {
    const poll = await findDuelPoll(parts);
    return sendDocument(reply, 200, toDuelResultsPage(site, toDuelNames(poll), scores.read()));
  });
  const feed = startScoresFeed(app.server, scores, {
    keeper: parts.live.keeper,
    addressOf: parts.forwarding.addressOf,
  });
  const address = new URL(await app.listen({ host: toOneHost(options.host), port: options.port }));
  return {
    port: Number(address.port),
    async stop() {
      feed.stop();
      await stopQuietly(app, { requestCount, connections, waitingCount: () => 0 });
    },
  };
}

/** For the name `localhost` Fastify would open a second server beside this one, which knows nothing of Socket.IO. */
function toOneHost(host: string): string {
  return host === 'localhost' ? '127.0.0.1' : host;
}
