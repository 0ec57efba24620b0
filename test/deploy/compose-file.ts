/** deploy/compose.yaml as Docker Compose reads it: merged, with its variables filled in. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';

export type Variables = Readonly<Record<string, string>>;

/** What our file uses of the specification. Its schema is checked before anything is read from it. */
export type ComposeService = {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string; readonly target: string };
  readonly profiles: readonly string[];
  readonly command?: readonly string[];
  readonly user?: string;
  readonly hostname?: string;
  readonly restart?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly stop_grace_period?: string;
  readonly networks?: readonly string[];
  readonly volumes?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly ports?: readonly string[];
  readonly environment?: Variables;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly deploy?: { readonly replicas: number };
  readonly healthcheck?: { readonly disable?: boolean; readonly test?: readonly string[] };
};

export type ComposeFile = {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, object>>;
};

export const deployFolder = path.resolve(import.meta.dirname, '../../deploy');

/** The contracts, and what fills one with votes. */
export const contractProfiles = ['features', 'election', 'duel', 'live', 'party'] as const;

/** The image of our own server. */
export const ownImage = /^hustings:/u;

/** As it stands there, with its variables. */
export function readComposeFile(): ComposeFile {
  return parse(readFileSync(path.join(deployFolder, 'compose.yaml'), 'utf8'), { merge: true }) as ComposeFile; // compose.test.ts checks the shape.
}

/** With the variables filled in. @throws {Error} for one that is required and missing, as Compose does */
export function fillIn<Tree>(tree: Tree, variables: Variables): Tree {
  return mapTexts(tree, (text) => fillText(text, variables)) as Tree; // The same tree with other texts.
}

/** Every name of a variable in the texts. */
export function variablesIn(tree: unknown): Set<string> {
  const names = new Set<string>();
  mapTexts(tree, (text) => {
    for (const [, name] of text.matchAll(/\$\{(\w+)/gu)) if (name !== undefined) names.add(name);
    return text;
  });
  return names;
}

export function servicesOf({ services }: ComposeFile, profile: string): [name: string, service: ComposeService][] {
  return Object.entries(services).filter(([, { profiles }]) => profiles.includes(profile));
}

function mapTexts(tree: unknown, change: (text: string) => string): unknown {
  if (typeof tree === 'string') return change(tree);
  if (Array.isArray(tree)) return tree.map((each) => mapTexts(each, change));
  if (typeof tree !== 'object' || tree === null) return tree;
  return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, mapTexts(value, change)]));
}

function fillText(text: string, variables: Variables): string {
  const start = text.indexOf('${');
  if (start < 0) return text;
  const end = findBrace(text, start + 2);
  const [, name = '', operator = '', rest = ''] = /^(\w+)(:-|:\?)?([\s\S]*)$/u.exec(text.slice(start + 2, end)) ?? [];
  const value = variables[name] ?? '';
  if (value === '' && operator === ':?') throw new Error(`${name} ${rest}`);
  const filled = value === '' && operator === ':-' ? fillText(rest, variables) : value;
  return `${text.slice(0, start)}${filled}${fillText(text.slice(end + 1), variables)}`;
}

/** Where the brace ends that was opened before: a default may have variables of its own. */
function findBrace(text: string, from: number): number {
  let depth = 1;
  for (let index = from; index < text.length; index += 1) {
    if (text.startsWith('${', index)) depth += 1;
    else if (text[index] === '}') depth -= 1;
    if (depth === 0) return index;
  }
  throw new Error(`A brace is missing in ${text}`);
}
