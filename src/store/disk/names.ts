/**
 * Names as the disk has them, bytes, and the same as text: which of them may be shown and asked for, and how the
 * others are told of. A name that is refused is never shown as another name that could exist.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { Failure } from '../../errors.ts';
import { checkName, MAX_NAME_BYTES } from '../../path.ts';
import { printable } from '../../printable.ts';

/** The name as text if it is valid UTF-8. */
export function textOf(raw: Buffer): string | undefined {
  if (isAscii(raw)) return raw.toString('latin1');
  return isUtf8(raw) ? raw.toString() : undefined;
}

/** The name as text if it may stand in a path (`checkName`), else why it may not. */
export function checkedName(raw: Buffer): string | Failure {
  const text = textOf(raw);
  if (text === undefined) return new Failure('BADNAME', 'the name is not valid UTF-8', { hint: 'rename it first: such names cannot be sent' });
  try {
    return checkName(text);
  } catch (error) {
    return Failure.from(error);
  }
}

/** A refused name in letters that may be shown, and that pass `checkName` themselves: what cannot be shown is `\xNN`. */
export function escapedName(raw: Buffer): string {
  const text = printable(textOf(raw) ?? invalidBytes(raw));
  let shown = '';
  for (const letter of text) {
    // Escapes of a long name can be longer than any name.
    if (Buffer.byteLength(shown + letter) > MAX_NAME_BYTES - 3) return `${shown}…`;
    shown += letter;
  }
  // What is left are names that are well-formed but reserved; without their first letter they are not.
  return typeof checkedName(Buffer.from(shown)) === 'string' ? shown : `\\x${raw.toString('hex', 0, 1)}${shown.slice(1)}`;
}

/** Valid UTF-8 as it is, each other byte from 0x80 as an escape. */
function invalidBytes(raw: Buffer): string {
  let text = '';
  for (let at = 0; at < raw.length;) {
    let length = 1;
    while (length <= 4 && !isUtf8(raw.subarray(at, at + length))) length += 1;
    if (length <= 4 && at + length <= raw.length) text += raw.toString('utf8', at, at + length);
    else text += `\\x${raw.toString('hex', at, at + 1)}`;
    at += length <= 4 && at + length <= raw.length ? length : 1;
  }
  return text;
}
