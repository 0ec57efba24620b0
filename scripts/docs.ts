/**
 * Writes the pages that are made from tables: `node scripts/docs.ts`.
 * With `--check` it writes nothing and fails where a page differs from its table.
 */
import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commands } from '../server/command-line.ts';
import { errors, type Retry } from '../server/errors.ts';
import { toPlainText, wrapText } from '../server/lib/help-layout.ts';
import { nameOf, toDefaultText, type AnySettings, type Setting } from '../server/lib/setting-table.ts';
import { settings } from '../server/settings.ts';

const root = join(import.meta.dirname, '..');
const note = '<!-- Made by scripts/docs.ts. Change the table, then run `node scripts/docs.ts`. -->';

/** The pages by their path in the repository. */
export const pages: Readonly<Record<string, () => string>> = {
  'docs/configuration.md': toConfigurationPage,
  'docs/errors.md': toErrorsPage,
  '.env.example': toEnvExample,
};

/** The paths of the pages that are not what their table says. */
export function findStalePages(): string[] {
  return Object.entries(pages)
    .filter(([path, toPage]) => readPage(path) !== toPage())
    .map(([path]) => path);
}

function toConfigurationPage(): string {
  const groups = toGroups(settings);
  const overview = Object.values<Setting<unknown>>(settings).map((setting) => [
    toLink(setting),
    setting.env === undefined ? '' : toCode(setting.env),
    toDefault(setting),
  ]);
  return joinBlocks([
    '# Configuration',
    note,
    'Hustings needs no settings. Each setting below has a default, and `hustings help` prints this page for the terminal.',
    'A setting is looked for in this order, and the first that has it wins:',
    [
      '1. the flag, as `--port 9000` or `--port=9000`',
      '2. the environment variable, as `PORT=9000`',
      '3. the same variable in the file `.env` of the working directory',
      '4. the default of the preset',
      '5. the default',
    ].join('\n'),
    'An empty value counts as unset. A wrong setting stops the start with exit code 2 and one line that says which setting, where it was given, and what it takes. Behind `npm start`, flags come after `--`: `npm start -- --port 9000`.',
    '## Overview',
    toTable(['Setting', 'Variable', 'Default'], overview),
    ...groups.flatMap(([heading, rows]) => [`## ${heading}`, ...rows.flatMap(toSettingSection)]),
    '## Commands',
    toTable(
      ['Command', 'What it does'],
      Object.entries(commands).map(([name, { doc }]) => [toCode(`hustings ${name}`), doc]),
    ),
    '`hustings help COMMAND` shows what a command takes and which settings it reads.',
  ]);
}

function toSettingSection(setting: Setting<unknown>): string[] {
  const { flag, env, kind, doc } = setting;
  const facts = [
    flag === undefined ? 'Only as a variable' : '',
    flag !== undefined && env !== undefined ? `Variable: ${toCode(env)}` : '',
    `Default: ${toDefault(setting)}`,
    `Takes: ${kind.takes}`,
  ];
  return [
    `### ${toCode(nameOf(setting))}`,
    doc,
    facts
      .filter((fact) => fact !== '')
      .map((fact) => `- ${fact}`)
      .join('\n'),
  ];
}

function toErrorsPage(): string {
  const rows = Object.entries(errors);
  return joinBlocks([
    '# Errors',
    note,
    'Every refusal is an `application/problem+json` body (RFC 9457) with a `code` from this page. Its `type` is `/problems/<code>`, its `detail` says what happened this time, and its `instance` is the id of the request in the log.',
    'Three members say what to do next:',
    [
      '- `recorded` says whether the ballot is in the ledger: `no`, `yes`, or `unknown` when the answer got lost. After `unknown`, send the same request with the same `Idempotency-Key`: it counts once, and the receipt is the same.',
      '- `violations` lists the rules that were broken, each with a JSON Pointer to its place in the body.',
      '- `Retry-After`, a header, says how many seconds to wait. Every 429 and 503 has it.',
    ].join('\n'),
    '## Overview',
    toTable(
      ['Code', 'Status', 'The same request again', 'Retry-After'],
      rows.map(([code, { status, retry, retryAfterSeconds }]) => [
        `[${toCode(code)}](#${code})`,
        `${status}`,
        retryWords[retry],
        retryAfterSeconds === undefined ? '' : `${retryAfterSeconds} s`,
      ]),
    ),
    ...rows.flatMap(([code, { status, title, meaning, remedy, recorded }]) => [
      `## ${code}`,
      `**${title}.** Status ${status}.`,
      meaning,
      `What to do: ${remedy}`,
      ...(recorded === undefined ? [] : [`\`recorded\` is \`${recorded}\` unless the body says otherwise.`]),
    ]),
  ]);
}

const retryWords: Readonly<Record<Retry, string>> = {
  never: 'never succeeds',
  after_fix: 'after a change to it',
  later: 'later',
};

/** What people set once for an installation. Limits and timeouts are left to the page that explains them. */
function toEnvExample(): string {
  const groups = toGroups(settings).filter(([heading]) => !['Limits', 'Timeouts'].includes(heading));
  const intro = [
    'Settings for Hustings. Copy this file to .env and remove the # before what you change.',
    'Quotation marks keep a value together that holds spaces or a #.',
    'All settings, with limits and timeouts, are in docs/configuration.md.',
    'Made by scripts/docs.ts.',
  ].map((line) => `# ${line}`);
  return joinBlocks([
    intro.join('\n'),
    ...groups.flatMap(([heading, rows]) => [
      `# ---- ${heading} ----`,
      ...rows.flatMap((row) => (row.env === undefined ? [] : [toEnvLines(row, row.env)])),
    ]),
  ]);
}

function toEnvLines(setting: Setting<unknown>, env: string): string {
  const { doc, otherwise, example, kind } = setting;
  const value = example ?? (otherwise === undefined ? String(setting.default) : '');
  const text = `${doc} Takes ${kind.takes}. Default: ${toDefaultText(setting)}.`;
  return [...wrapText(toPlainText(text), 94).map((line) => `# ${line}`), `#${env}=${value}`].join('\n');
}

function toGroups(table: AnySettings): [string, Setting<unknown>[]][] {
  return [...Map.groupBy(Object.values(table), ({ group = '' }) => group)];
}

/** A table whose columns are even in the source, too. */
function toTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, column) => Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const toLine = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
  const rule = widths.map((width) => '-'.repeat(width));
  return [toLine(head), toLine(rule), ...rows.map(toLine)].join('\n');
}

function joinBlocks(blocks: readonly string[]): string {
  return `${blocks.join('\n\n')}\n`;
}

/** The address that Markdown gives a heading: only letters, digits, - and _ are left. */
function toLink(setting: Setting<unknown>): string {
  const name = nameOf(setting);
  return `[${toCode(name)}](#${name.toLowerCase()})`;
}

function toDefault(setting: Setting<unknown>): string {
  return toDefaultText(setting, toCode);
}

function toCode(text: unknown): string {
  return `\`${String(text)}\``;
}

function readPage(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return undefined;
  }
}

// Tests import this file. The real path, because a checkout may be reached through a link.
const script = process.argv[1];
if (script !== undefined && realpathSync(script) === import.meta.filename) {
  if (process.argv.includes('--check')) {
    const stale = findStalePages();
    if (stale.length > 0) {
      console.error(`${stale.join(', ')}: not as the tables say. Run "node scripts/docs.ts".`);
      process.exitCode = 1;
    }
  } else {
    for (const [path, toPage] of Object.entries(pages)) writeFileSync(join(root, path), toPage());
  }
}
