/**
 * How many requests each route has answered, and how long that took. A route is its template (`/api/v1/polls/:pollId`), never the address that was
 * asked for, so there are as many counts as routes and methods, whatever clients ask for.
 */
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction, RouteOptions } from 'fastify';
import { createHistogram, type Histogram } from '../lib/histogram.ts';

export type RouteCount = {
  readonly method: string;
  /** `none` for addresses at which there is nothing, or nothing for this method. */
  readonly route: string;
  /** Answers with 1xx, 2xx, 3xx, 4xx, 5xx. */
  readonly classes: readonly number[];
  readonly seconds: Histogram;
};

export type RequestMeter = {
  /** For each route, before it is there. */
  onRoute(options: RouteOptions): void;
  /** For each answer, also where there is no route. */
  onResponse(request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void;
  /** Of everything that was asked for at least once. */
  read(): RouteCount[];
};

type Counting = RouteCount & { readonly classes: number[] };

const secondsBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** What a client may write in place of a method is bounded, too. */
const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const noRoute = 'none';

export function createRequestMeter(): RequestMeter {
  const counts = new Map<string, Counting>();

  function countOf(method: string, route: string): Counting {
    const key = `${method} ${route}`;
    let counting = counts.get(key);
    if (counting === undefined) {
      counting = { method, route, classes: [0, 0, 0, 0, 0], seconds: createHistogram(secondsBounds) };
      counts.set(key, counting);
    }
    return counting;
  }

  /** A hook for one route, which looks nothing up where that has one method. */
  function createHook(methods: readonly string[], route: string) {
    const all = new Map(methods.map((method) => [method, countOf(method, route)]));
    const only = methods.length === 1 && methods[0] !== undefined ? all.get(methods[0]) : undefined;
    return (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void => {
      const counting = only ?? all.get(request.method);
      if (counting !== undefined) note(counting, reply);
      done();
    };
  }

  return {
    onRoute(options) {
      const methods = [options.method].flat().filter((method) => knownMethods.has(method));
      const others = [options.onResponse ?? []].flat();
      options.onResponse = [...others, createHook(methods, options.url)];
    },
    onResponse(request, reply, done) {
      if (request.is404) note(countOf(knownMethods.has(request.method) ? request.method : 'other', noRoute), reply);
      done();
    },
    read: () => [...counts.values()].filter(({ classes }) => classes.some((count) => count > 0)),
  };
}

function note({ classes, seconds }: Counting, reply: FastifyReply): void {
  const index = Math.floor(reply.statusCode / 100) - 1;
  classes[index] = (classes[index] ?? 0) + 1;
  seconds.note(reply.elapsedTime / 1_000);
}
