/**
 * A shell pattern against one name: `*` any run of characters, `?` one, `[a-z]` or `[!a-z]` a set, `\` the next as it is. Pure.
 *
 * Hand-written because it meets names a server chose: the greedy scan needs at most pattern times name steps,
 * where a regular expression made of the same pattern can take exponential time.
 */

/** Whether `name` as a whole matches; letter case counts. */
export function matchesGlob(pattern: string, name: string): boolean {
  const tokens = readPattern(pattern);
  const letters = [...name];
  let [t, n] = [0, 0];
  let [star, resume] = [-1, 0]; // the last `*`, and where its run ends at present
  while (n < letters.length) {
    const token = tokens[t];
    if (token === '*') [star, resume, t] = [t, n, t + 1];
    else if (token !== undefined && token(letters[n]!)) [t, n] = [t + 1, n + 1];
    else if (star >= 0) [t, n, resume] = [star + 1, resume + 1, resume + 1];
    else return false;
  }
  while (tokens[t] === '*') t += 1;
  return t === tokens.length;
}

type Token = '*' | ((letter: string) => boolean);

function readPattern(pattern: string): Token[] {
  const letters = [...pattern];
  const tokens: Token[] = [];
  for (let at = 0; at < letters.length; at += 1) {
    const letter = letters[at]!;
    const close = letter === '[' ? letters.indexOf(']', at + 2) : -1;
    if (letter === '*') tokens.push('*');
    else if (letter === '?') tokens.push(() => true);
    else if (close > 0) {
      tokens.push(readSet(letters.slice(at + 1, close)));
      at = close;
    } else {
      if (letter === '\\' && at + 1 < letters.length) at += 1;
      const exact = letters[at]!;
      tokens.push((other) => other === exact);
    }
  }
  return tokens;
}

function readSet(letters: string[]): Token {
  const negated = letters[0] === '!' || letters[0] === '^';
  const members = negated ? letters.slice(1) : letters;
  return (letter) => {
    let inside = false;
    for (let at = 0; at < members.length; at += 1) {
      const isRange = members[at + 1] === '-' && members[at + 2] !== undefined;
      inside ||= isRange ? letter >= members[at]! && letter <= members[at + 2]! : letter === members[at];
      if (isRange) at += 2;
    }
    return inside !== negated;
  };
}
