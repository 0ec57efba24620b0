import { nameOf, toDefaultText, type AnySettings, type Setting } from './setting-table.ts';

const lineLengthMax = 96;
const docColumn = 34;

/** Without the marks that Markdown needs. */
export function toPlainText(markdown: string): string {
  return markdown.replaceAll('`', '');
}

/** The text in lines of at most `lengthMax` characters, broken between words. */
export function wrapText(text: string, lengthMax = lineLengthMax): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= lengthMax) {
      lines[lines.length - 1] = `${line} ${word}`;
    } else {
      lines.push(word);
    }
  }
  return lines;
}

/** A name on the left and its paragraphs on the right; the first goes beside the name if it is short enough. */
export function toEntry(name: string, paragraphs: readonly string[], indent = 2): string {
  const left = ' '.repeat(indent) + name;
  const right = paragraphs.flatMap((text) => wrapText(text, lineLengthMax - docColumn));
  const rows = left.length + 2 > docColumn ? [left] : [left.padEnd(docColumn) + right.shift()];
  return [...rows, ...right.map((line) => ' '.repeat(docColumn) + line)].join('\n');
}

/** Every setting of a table as an entry, under the headings of the groups. */
export function toSettingsHelp(settings: AnySettings): string {
  const groups = Map.groupBy(Object.values(settings), (setting) => setting.group ?? '');
  return [...groups]
    .map(([heading, rows]) => [heading, ...rows.map((row) => toSettingEntry(row))].join('\n'))
    .join('\n\n');
}

export function toSettingEntry(setting: Setting<unknown>, indent = 2): string {
  const { flag, short, kind, doc } = setting;
  const value = flag === undefined || kind.alone !== undefined ? '' : ` ${kind.placeholder}`;
  const name = (short === undefined ? '' : `-${short}, `) + nameOf(setting) + value;
  // A placeholder such as strict|process already says what the setting takes.
  const takes = kind.placeholder.includes('|') ? '' : ` Takes ${kind.takes}.`;
  const paragraphs = [toPlainText(doc + takes), toFacts(setting)];
  return toEntry(
    name,
    paragraphs.filter((text) => text !== ''),
    indent,
  );
}

/** Under which variable, and what holds without it. Flags that stand alone are simply absent. */
function toFacts(setting: Setting<unknown>): string {
  const { flag, env, kind } = setting;
  const facts = [
    env !== undefined && flag !== undefined ? `Variable ${env}.` : '',
    env !== undefined && flag === undefined ? 'A variable only.' : '',
    'default' in setting && kind.alone === undefined ? `Default: ${toDefaultText(setting)}.` : '',
  ];
  return facts.filter((fact) => fact !== '').join(' ');
}
