/**
 * Parse: the text of a configuration file as plain values, or the place at which it stops being TOML. Pure.
 * The only file that knows the library for TOML.
 */
import { parse, TomlError } from 'smol-toml';

/** What is wrong with a file, and where. */
export interface Mistake {
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** What to type. */
  readonly hint: string;
}

type Tree = Readonly<Record<string, unknown>>;

/** The values of a text; or the first thing in it that is no TOML: nothing behind it can be understood. */
export function parseToml(text: string): { readonly tree: Tree } | { readonly mistake: Mistake } {
  try {
    return { tree: parse(text, { integersAsBigInt: 'asNeeded' }) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The library goes on with lines of the file, which whoever made the mistake has.
    const said = error.message.split('\n', 1)[0]!.replace(/^Invalid TOML document: /, '');
    return { mistake: { line: error.line, column: error.column, message: `this is not TOML: ${said}`, hint: 'text stands in quotes, as in name = "files"; a table begins with its name in brackets' } };
  }
}
