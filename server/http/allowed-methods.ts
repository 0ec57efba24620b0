/** Which methods a path takes, so that a wrong one is answered with 405 and `Allow`, not with 404. */

export type AllowedMethods = {
  add(methods: string | readonly string[], pattern: string): void;
  /** The methods of the routes that match this path; empty where no route does. */
  of(path: string): string[];
};

export function createAllowedMethods(): AllowedMethods {
  const methodsByPattern = new Map<string, { match: RegExp; methods: Set<string> }>();
  return {
    add(methods, pattern) {
      const known = methodsByPattern.get(pattern) ?? { match: toRegExp(pattern), methods: new Set() };
      for (const method of [methods].flat()) known.methods.add(method);
      methodsByPattern.set(pattern, known);
    },
    of(path) {
      const found = new Set<string>();
      for (const { match, methods } of methodsByPattern.values()) {
        if (match.test(path)) for (const method of methods) found.add(method);
      }
      return [...found].sort();
    },
  };
}

/** Fastify's patterns: `:name` is one segment (or the part of one before a `::` literal colon), `*` is the rest. */
function toRegExp(pattern: string): RegExp {
  const parts = pattern.split(/(::|:[A-Za-z_]+|\*)/u).map((part) => {
    if (part === '::') return ':';
    if (part === '*') return '.*';
    return part.startsWith(':') ? '[^/]+' : part.replaceAll(/[.+?^${}()|[\]\\]/gu, String.raw`\$&`);
  });
  return new RegExp(`^${parts.join('')}$`, 'u');
}
