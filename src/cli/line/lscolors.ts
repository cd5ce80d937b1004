/**
 * Colours of names, as `LS_COLORS` has them for `ls`: read once, then asked for each name. Pure.
 *
 * Where the variable is not set, the few colours hold that GNU `ls` has by itself. Values that are no colours (anything
 * but digits and semicolons) are passed over, so that the environment cannot write to a terminal through us.
 */
import type { Entry } from '../../client/api.ts';
import type { Kind } from '../../entry.ts';

/** `text`, which shows an entry called `name`, in its colour. */
export type Paint = (entry: Pick<Entry, 'kind' | 'mode'>, name: string, text: string) => string;

/** What paints nothing. */
export const PLAIN: Paint = (_entry, _name, text) => text;

const STANDARD = 'di=01;34:ln=01;36:pi=33:ex=01;32';

/** `dircolors` prints below 10,000 characters; what is longer was not made for this. */
const MAX_TEXT = 65_536;

const COLOUR = /^[\d;]{1,32}$/;

/** The two letters of each kind; devices, FIFOs and sockets are not told apart. */
const LETTERS: Readonly<Record<Kind, string>> = { file: 'fi', folder: 'di', link: 'ln', other: 'pi' };

export function paintBy(variable: string | undefined): Paint {
  const text = variable === undefined || variable === '' || variable.length > MAX_TEXT ? STANDARD : variable;
  const kinds = new Map<string, string>();
  const endings = new Map<string, string>();
  for (const item of text.split(':')) {
    const cut = item.lastIndexOf('=');
    const [key, colour] = [item.slice(0, cut), item.slice(cut + 1)];
    if (cut < 1 || !COLOUR.test(colour)) continue;
    if (key.startsWith('*')) endings.set(key.slice(1).toLowerCase(), colour);
    else kinds.set(key, colour);
  }
  return (entry, name, shown) => {
    const colour = colourOf(entry, name, kinds, endings);
    return colour === undefined || /^0*$/.test(colour) ? shown : `\u001b[${colour}m${shown}\u001b[0m`;
  };
}

function colourOf({ kind, mode }: Pick<Entry, 'kind' | 'mode'>, name: string, kinds: ReadonlyMap<string, string>, endings: ReadonlyMap<string, string>): string | undefined {
  if (kind !== 'file') return kinds.get(LETTERS[kind]);
  if ((mode & 0o111) !== 0 && kinds.has('ex')) return kinds.get('ex');
  return byEnding(name.toLowerCase(), endings) ?? kinds.get('fi');
}

/** The longest ending counts: `.tar.gz` before `.gz`, and `README` in full. */
function byEnding(name: string, endings: ReadonlyMap<string, string>): string | undefined {
  for (let at = 0; at < name.length; at += 1) {
    const colour = endings.get(name.slice(at));
    if (colour !== undefined) return colour;
  }
  return undefined;
}
