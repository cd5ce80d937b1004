/** The version of this software, from its package, and what it calls itself on the wire. */
import { readFileSync } from 'node:fs';

export const SOFTWARE_VERSION: string = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;
export const AGENT = `wherry/${SOFTWARE_VERSION}`;
