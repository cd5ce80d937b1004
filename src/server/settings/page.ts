/**
 * Page: the table of settings for people: the rows of docs/configuration.md, an example file, and settings as a file. Pure.
 */
import { tomlOf } from './schema.ts';
import type { Origin } from './settle.ts';
import { type Key, KEYS, placeOf, type Setting, SETTINGS } from './table.ts';

/** Columns of a comment in the example file. */
const COLUMNS = 100;

/** The keys of each table of the file, those of none first. */
function tables(): Map<string | undefined, Key[]> {
  const all = new Map<string | undefined, Key[]>();
  for (const key of KEYS) {
    const { table } = placeOf(key);
    all.set(table, [...(all.get(table) ?? []), key]);
  }
  return all;
}

function heading(table: string | undefined): string[] {
  return table === undefined ? [] : ['', `[${table}]`];
}

/** A configuration file with every key: what it is for, and its default, as comments. */
export function exampleFile(): string {
  const lines = ['# Configuration of a Wherry server: wherry serve --config FILE', '# A key that stands behind # has the value that it shows without being written; take the # away to change it.', '# wherry config check FILE looks whether all is right.'];
  for (const [table, keys] of tables()) {
    lines.push(...heading(table));
    for (const key of keys) {
      const setting: Setting = SETTINGS[key];
      const { default: usual, example } = setting;
      lines.push('', ...wrapped(`${setting.about}${rangeOf(setting)}${usual === undefined ? ` Without it: ${setting.usual}.` : ''}`), `#${placeOf(key).name} = ${tomlOf(usual ?? example)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** A comment in lines of bounded length. */
function wrapped(text: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    if (lines.at(-1) !== '' && lines.at(-1)!.length + word.length + 3 > COLUMNS) lines.push('');
    lines.push(`${lines.pop()} ${word}`);
  }
  return lines.map((line) => `#${line}`);
}

/** What may stand behind the equals sign, where its kind does not say it. */
function rangeOf(setting: Setting): string {
  switch (setting.kind) {
    case 'choice': return ` ${Object.entries(setting.of).map(([word, means]) => `"${word}": ${means}`).join('; ')}.`;
    case 'number': return ` From ${setting.min} to ${setting.max}.`;
    case 'time':
    case 'size': return setting.min === undefined ? ` At most ${setting.max}.` : ` From ${setting.min} to ${setting.max}.`;
    case 'address':
    case 'addresses':
    case 'networks':
    case 'flag':
    case 'folder':
    case 'name': return '';
  }
}

/** The tables of the page of documentation, in Markdown. */
export function documentation(): string {
  const cell = (text: string): string => text.replaceAll('|', String.raw`\|`);
  return [...tables()].map(([table, keys]) => {
    const rows = keys.map((key) => {
      const setting: Setting = SETTINGS[key];
      const { default: usual, reloads } = setting;
      return `| \`${placeOf(key).name}\` | ${usual === undefined ? `not set: ${setting.usual}` : `\`${cell(tomlOf(usual))}\``} | ${cell(setting.about + rangeOf(setting))} | ${reloads ? 'at a reload' : 'at a start'} |`;
    });
    return [`### ${table === undefined ? 'At the top of the file' : `\`[${table}]\``}`, '', '| key | default | | a change works |', '|---|---|---|---|', ...rows].join('\n');
  }).join('\n\n');
}

/** Settings as a file has them; with where each comes from, where that is wanted. */
export function settledFile(origins: readonly Origin[], withOrigin: boolean): string[] {
  const all = new Map(origins.map((origin) => [origin.key, origin]));
  return [...tables()].flatMap(([table, keys]) => [...heading(table), ...keys.map((key) => {
    const { written, from } = all.get(key)!;
    const { name } = placeOf(key);
    if (written === undefined) return `# ${name} is not set: ${(SETTINGS[key] as Setting).usual}`;
    return `${name} = ${tomlOf(written)}${withOrigin ? `  # ${from}` : ''}`;
  })]);
}
