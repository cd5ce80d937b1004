/**
 * Text from a peer or a disk made harmless before it reaches a terminal, a log line or a message:
 * control characters (also C1), line separators, bidirectional controls and lone surrogates are shown
 * as escapes. The result is one line. Everything else, accents and emoji included, stays as it is.
 */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

export function printable(text: string): string {
  return text.replace(UNSAFE, (unit) => {
    const code = unit.charCodeAt(0);
    if (unit === '\n') return '\\n';
    if (unit === '\t') return '\\t';
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** A value as one line of JSON that is as harmless, and is read back as the same value. */
export function printableJson(value: object): string {
  // JSON escapes what is below a space, and lone surrogates; the rest stands in strings alone.
  return JSON.stringify(value).replace(UNSAFE, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
