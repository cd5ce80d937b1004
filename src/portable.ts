/**
 * Portable: which names every system in use can store, Windows included, which is the one that takes the least.
 * What may be a name at all is `path.ts`; this is a rule on top of it that a server may be told to keep. Pure.
 *
 * Source of the rules: Microsoft, "Naming Files, Paths, and Namespaces"; superscript digits and console names as its
 * `RtlIsDosDeviceName` has them.
 */

/** Forbidden in names there; a colon would name a stream of the file before it. */
const FORBIDDEN = /[<>:"\\|?*]/;
/** Devices, whatever ending or spaces follow: `NUL.txt` writes to nothing. */
const DEVICE = /^(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|CLOCK\$|(?:COM|LPT)[0-9¹²³])$/;
/** What a long name is also called there: writing to `PROGRA~1` may write to another file. */
const SHORT_ALIAS = /^[^.]{1,6}~\d{1,6}(?:\.[^.]{0,3})?$/;

/** Why Windows could not store a file of this `name`, as the end of a sentence about it; undefined: it could. */
export function unportable(name: string): string | undefined {
  const forbidden = FORBIDDEN.exec(name);
  if (forbidden !== null) return `contains the character ${forbidden[0]}`;
  if (/[. ]$/.test(name)) return `ends in a ${name.endsWith('.') ? 'dot' : 'space'}`;
  const stem = name.split('.', 1)[0]!.trimEnd().toUpperCase();
  if (DEVICE.test(stem)) return `is that of the device ${stem}`;
  return SHORT_ALIAS.test(name) ? 'may be the short name of another file' : undefined;
}
