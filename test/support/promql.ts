/** What an expression of PromQL asks for: enough of its grammar to know every metric and label in it. */

export type Selector = {
  readonly metric: string;
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[];
};

export type Asked = { readonly selectors: readonly Selector[]; readonly groupedBy: readonly string[] };

const tokenPattern =
  /(?<space>\s+)|(?<text>"(?:[^"\\]|\\.)*")|(?<range>\[[\w$:]+\])|(?<number>\d[\w.]*)|(?<name>[a-zA-Z_:][\w:]*)|(?<operator>=~|!~|!=|==|>=|<=|[-+*/%^<>=(){},])/uy;
const groupings = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
const words = new Set(['and', 'or', 'unless', 'bool', 'offset']);

/** @throws {Error} for text that is no part of the language */
export function parsePromql(text: string): Asked {
  const tokens = toTokens(text);
  const selectors: Selector[] = [];
  const groupedBy: string[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at] ?? '';
    if (!/^[a-zA-Z_:]/u.test(token) || words.has(token)) continue;
    const next = tokens[at + 1];
    // A function, or an aggregation that says first by what.
    if ((next === '(' && !groupings.has(token)) || next === 'by' || next === 'without') continue;
    const end = next === '(' ? tokens.indexOf(')', at) : next === '{' ? tokens.indexOf('}', at) : at;
    if (end < 0) throw new Error(`No end after ${token}: ${text}`);
    const inside = tokens.slice(at + 2, end).filter((each) => each !== ',');
    if (groupings.has(token)) groupedBy.push(...inside);
    else selectors.push({ metric: token, matchers: toMatchers(inside) });
    at = end;
  }
  return { selectors, groupedBy };
}

function toTokens(text: string): string[] {
  const tokens: string[] = [];
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < text.length) {
    const at = tokenPattern.lastIndex;
    const match = tokenPattern.exec(text);
    if (match === null) throw new Error(`No PromQL from here on: ${text.slice(at)}`);
    if (match.groups?.['space'] === undefined) tokens.push(match[0]);
  }
  return tokens;
}

function toMatchers(tokens: readonly string[]): Selector['matchers'] {
  return Array.from({ length: tokens.length / 3 }, (_, index) => {
    const [label = '', operator = '', quoted = ''] = tokens.slice(index * 3, index * 3 + 3);
    return { label, operator, value: quoted.slice(1, -1) };
  });
}
