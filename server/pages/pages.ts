/** All pages, as one part of the HTTP server. */
import type { Contract } from '../http/app.ts';
import type { HttpOptions } from '../http/parts.ts';
import { pollBytesMax } from '../http/poll-body.ts';
import { prefersHtml } from '../http/preferences.ts';
import { answerProblem, answerProblemPage } from '../http/problem.ts';
import { takeForms } from './forms.ts';
import { registerHomeRoutes, registerManageRoute } from './organiser-routes.ts';
import { registerImageRoutes } from './image-routes.ts';
import { registerReaderRoutes } from './reader-routes.ts';
import type { PageRenderer } from './renderer.ts';
import { registerStaticRoutes } from './static-routes.ts';
import { registerVoterRoutes } from './voter-routes.ts';

export type PagesOptions = Pick<HttpOptions, 'createKey'> & {
  /** Whether `/` is the home page, and not that of a contract. */
  readonly homeAtRoot: boolean;
};

export function createPages(renderer: PageRenderer, options: PagesOptions): Contract {
  return {
    openToAnyOrigin: null,
    async register(app, parts) {
      await takeForms(app, pollBytesMax);
      app.setErrorHandler((error, request, reply) => {
        if (!prefersHtml(request.headers.accept)) return answerProblem(error, request, reply);
        return answerProblemPage(parts, error, request, reply);
      });
      await registerStaticRoutes(app, renderer);
      if (options.homeAtRoot) registerHomeRoutes(app, parts, options);
      registerManageRoute(app, parts);
      registerVoterRoutes(app, parts);
      registerReaderRoutes(app, parts);
      registerImageRoutes(app, parts);
    },
  };
}
