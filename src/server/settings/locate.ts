/**
 * Locate: where each key of a TOML text stands, by line and column, both from 1. Pure.
 *
 * The parser of the library tells places only of what is no TOML; this one is for what is, and means something wrong. It
 * reads a text that the library has accepted, and so only finds ends: of strings, of arrays, of tables within a line. A key
 * is where its own name begins; what stands in an array is found by its number.
 */

export interface Place { readonly line: number; readonly column: number }
/** The names to a value from the top; elements of arrays by number. */
export type Path = readonly (string | number)[];

export class Places {
  readonly #found = new Map<string, number>();
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
    new Scanner(text, (path, at) => {
      const key = JSON.stringify(path);
      if (!this.#found.has(key)) this.#found.set(key, at); // of a table its first mention
    }).scan();
  }

  /** Where `path` stands, or what is nearest above it. */
  of(path: Path): Place {
    for (let length = path.length; length > 0; length -= 1) {
      const at = this.#found.get(JSON.stringify(path.slice(0, length)));
      if (at !== undefined) return placeAt(this.#text, at);
    }
    return { line: 1, column: 1 };
  }
}

function placeAt(text: string, at: number): Place {
  const start = text.lastIndexOf('\n', at - 1) + 1;
  return { line: text.slice(0, start).split('\n').length, column: [...text.slice(start, at)].length + 1 };
}

interface Name { readonly name: string; readonly at: number }

const BLANK = /[ \t]*/y;
/** Between lines, and between the elements of an array. */
const GAP = /(?:[ \t\r\n]|#[^\n]*)*/y;
const BARE = /[^\s.=\]}#,"']+/y;
const PLAIN = /[^,\]}#\r\n]*/y;
/** From the first quote to the last; up to two further quotes before the end of a text of several lines belong to it. */
const STRINGS = [/"""(?:\\[^]|[^\\])*?"""(?!")/y, /'''[^]*?'''(?!')/y, /"(?:\\.|[^"\\\n])*"/y, /'[^'\n]*'/y];
const ESCAPES: Readonly<Record<string, string>> = { b: '\b', t: '\t', n: '\n', f: '\f', r: '\r', e: '\u001B', '"': '"', '\\': '\\' };

class Scanner {
  readonly #text: string;
  readonly #see: (path: Path, at: number) => void;
  /** How many tables of each array there are so far. */
  readonly #counts = new Map<string, number>();
  #at = 0;

  constructor(text: string, see: (path: Path, at: number) => void) {
    this.#text = text;
    this.#see = see;
  }

  scan(): void {
    let table: Path = [];
    for (this.#skip(GAP); this.#at < this.#text.length; this.#skip(GAP)) {
      if (this.#text[this.#at] === '[') table = this.#header();
      else this.#pair(table);
    }
  }

  #header(): Path {
    const many = this.#text.startsWith('[[', this.#at);
    this.#at += many ? 2 : 1;
    const names = this.#names();
    this.#at += many ? 2 : 1;
    const path: (string | number)[] = [];
    for (const [index, { name, at }] of names.entries()) {
      path.push(name);
      this.#see([...path], at);
      const key = JSON.stringify(path);
      const before = this.#counts.get(key);
      if (many && index === names.length - 1) {
        this.#counts.set(key, (before ?? 0) + 1);
        path.push(before ?? 0);
        this.#see([...path], at);
      } else if (before !== undefined) path.push(before - 1); // the last one begun
    }
    return path;
  }

  #pair(table: Path): void {
    const path = [...table];
    for (const { name, at } of this.#names()) {
      path.push(name);
      this.#see([...path], at);
    }
    this.#at += 1; // the equals sign
    this.#skip(BLANK);
    this.#value(path);
  }

  /** `a . "b".c`, up to what follows. */
  #names(): Name[] {
    const names: Name[] = [];
    for (;;) {
      this.#skip(BLANK);
      const at = this.#at;
      const quoted = this.#string();
      const name = quoted ?? this.#take(BARE);
      // In a text that is TOML there is one; in any other this must end too.
      if (name === '' && quoted === undefined) this.#at += 1;
      names.push({ name, at });
      this.#skip(BLANK);
      if (this.#text[this.#at] !== '.') return names;
      this.#at += 1;
    }
  }

  #value(path: Path): void {
    if (this.#string() !== undefined) return;
    const sign = this.#text[this.#at];
    if (sign === '[') this.#list(']', (index) => { this.#see([...path, index], this.#at); this.#value([...path, index]); });
    else if (sign === '{') this.#list('}', () => this.#pair(path));
    else this.#skip(PLAIN);
  }

  /** What stands between the sign here and `end`, with commas between. */
  #list(end: string, each: (index: number) => void): void {
    this.#at += 1;
    for (let index = 0; ; index += 1) {
      this.#skip(GAP);
      if (this.#at >= this.#text.length || this.#text[this.#at] === end) break;
      each(index);
      this.#skip(GAP);
      if (this.#text[this.#at] === ',') this.#at += 1;
    }
    this.#at += 1;
  }

  /** The string that begins here, without its quotes; undefined where none does. */
  #string(): string | undefined {
    for (const form of STRINGS) {
      const whole = this.#take(form);
      if (whole === '') continue;
      if (whole.startsWith("'")) return whole.slice(1, -1);
      return whole.slice(1, -1).replace(/\\(?:u(.{4})|U(.{8})|x(.{2})|(.))/g, (_, four?: string, eight?: string, two?: string, one?: string) =>
        (one === undefined ? String.fromCodePoint(Number.parseInt(four ?? eight ?? two!, 16)) : ESCAPES[one] ?? one));
    }
    return undefined;
  }

  #take(form: RegExp): string {
    form.lastIndex = this.#at;
    const [taken = ''] = form.exec(this.#text) ?? [];
    this.#at += taken.length;
    return taken;
  }

  #skip(form: RegExp): void {
    this.#take(form);
  }
}
