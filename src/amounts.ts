/**
 * Amounts: lengths of time and sizes as people write them, `10m` and `128 MiB`, in numbers. Pure.
 *
 * What is no amount is undefined: what to say about it is for whoever asked.
 */

const TIMES: Readonly<Record<string, number>> = { ms: 1, s: 1000, '': 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZES: Readonly<Record<string, number>> = {
  '': 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40,
};

/** `30s`, `10m`, `1.5h`, `500ms`, `2d`, plain seconds: in milliseconds. */
export function timeIn(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|min|h|d)?$/.exec(text);
  return match === null ? undefined : Math.round(Number(match[1]) * TIMES[match[2] ?? '']!);
}

/** `128MiB`, `1.5 GB`, plain bytes; the unit in any letter case. */
export function sizeIn(text: string): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,3})?) ?(|B|[KMGT]i?B)$/i.exec(text);
  return match === null ? undefined : Math.round(Number(match[1]) * SIZES[match[2]!.toLowerCase()]!);
}
