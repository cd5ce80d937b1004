/**
 * Secrets: which typed lines show one by their shape, so that history does not keep them. Pure, and only a net: a password that
 * looks like any other word is not known as one; a space before the line keeps it out too.
 *
 * What is looked for is a value beside its name (`--password=…`, `GITHUB_TOKEN=…`, `X-Api-Key: …`), in the place where a program
 * takes one (`curl -u a:b`), or in a form that nothing else has. A name alone is none: `put token.txt`, `--password-stdin`,
 * `--token=$TOKEN`. In doubt a line is not kept: it is typed again in a moment, a secret is not.
 */

/** What a secret is called, as a part of the name of an option, a variable or a header. */
const CALLED = String.raw`(?:pass(?:w(?:or)?d|phrase|code|key)?s?|pwd|secrets?|tokens?|(?:api|access|account|auth|secret)[-_.]?keys?|credentials?|authorization)(?![a-z])`;
/** The rest of such a name; of one that ends so, the value is a place where the secret is. */
const REST = String.raw`(?![\w.-]*(?:file|path|dir|stdin|prompt|id|name|url|command|helper)["']?(?:[\s=:]|$))[\w.-]*`;
/** A value that is none: missing, or all of it a variable or what a command prints. */
const ELSEWHERE = String.raw`(?!"?\$(?:\w+|\{[^}]*\}|\([^)]*\))"?(?:[\s;&|]|$))`;

/** The programs that take one without naming it, and how. */
const PROGRAMS: readonly (readonly [programs: string, taken: string])[] = [
  ['curl|wget|lftp|https?|xh|aria2c', String.raw`(?:-[a-zA-Z]*[uUa]|--(?:proxy-)?(?:user|auth))[=\s]*["']?(?!\w+://)[^\s"':,]+[:,][^\s"']`],
  ['(?:mysql|mariadb)[\\w-]*|7z[ar]?|rar|unrar', String.raw`-p["']?[^\s"']`],
  ['sshpass|(?:docker|podman|oc|helm\\s+registry)\\s+login', String.raw`-p\s*["']?[^\s"'-]`],
  ['zip|unzip', String.raw`-P\s*["']?[^\s"'-]`],
  ['redis-cli', String.raw`-a\s*["']?[^\s"'-]`],
  ['ldap\\w+', String.raw`-w\s*["']?[^\s"'-]`],
  ['smbclient|rpcclient|net', String.raw`-U\s*["']?[^\s"'%]+%[^\s"']`],
];

const SHAPES: readonly RegExp[] = [
  // Tickets and tokens of Wherry, in any spelling that a server would take; codes to say, where one is typed.
  /wherry1-|wherry_/i,
  /\bjoin\b.*[\s"']\d{1,2}[\s\p{Pd}.,_]+[a-z]+[\s\p{Pd}.,_]+[a-z]|\b\d{1,2}-[a-z]+-[a-z]+\b.*\bjoin\b/iu,
  // Those of others that say what they are.
  /\b(?:gh[pousr]_|github_pat_|gl[a-z]+-|xox[a-z]-|sk-|sk_live_|npm_|pypi-|hf_|AKIA|ASIA|AIza)[\w-]{12,}|\beyJ[\w-]{8,}\.eyJ|-----BEGIN/,
  // NAME=VALUE, --name VALUE, "name": VALUE, Name: VALUE.
  new RegExp(String.raw`${CALLED}${REST}["']?\s*=\s*${ELSEWHERE}\S`, 'i'),
  new RegExp(String.raw`(?:^|\s)--?(?:[\w.]+-)*${CALLED}${REST}\s+${ELSEWHERE}[^\s-]`, 'i'),
  new RegExp(String.raw`${CALLED}${REST}(?:["']\s*:\s*|:\s+["']?)${ELSEWHERE}\S`, 'i'),
  /\b(?:(?:proxy-)?authorization|cookie|x-[\w-]*(?:key|token|secret|auth)|private-token):\s*(?!"?\$)[^\s"']/i,
  /\bBearer\s+(?!\$)\S{8,}|\bpass:[^\s"']/,
  // scheme://user:password@host
  /\b[a-z][\w+.-]*:\/\/[^\s/@:]*:[^\s/@]+@/i,
  // Given to a program that reads one.
  /^(?=.*\b(?:echo|printf)\s[^|]*\||.*<<<)(?=.*(?:--(?:password-)?stdin\b|\bchpasswd\b|\bsudo\s+(?:-\w+\s+)*-S\b))/,
  ...PROGRAMS.map(([programs, taken]) => new RegExp(String.raw`(?:^|[\s!|;&/])(?:${programs})\s(?:[^|;&]*\s)?${taken}`)),
];

/** Whether the line shows a secret. */
export function showsSecret(line: string): boolean {
  return SHAPES.some((shape) => shape.test(line));
}
